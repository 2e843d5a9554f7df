"""Six invented podcast shows over three days: what is read when no feeds are configured."""
