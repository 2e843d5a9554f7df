"""Speech to text by AssemblyAI: a hook that talks to the service, an operator that hands it a queue of recordings and
defers while it works, and the trigger that waits for it."""
