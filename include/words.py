"""The words of a text: what texts are compared by wherever punctuation and case must not count."""

import re

SHORTEST_STATEMENT = 9

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def words(text: str) -> list[str]:
    """The words of a text, lower case, without punctuation: what quotes are compared by."""
    return WORD.findall(text.lower().replace("’", "'"))


def claim_text(headline: str, insight: str) -> str:
    """What stands for a claim where its words or its meaning are compared: its insight, and of its headline what states
    something. A topic line ("Medicaid: cuts, seniors") only names again what the insight says."""
    return insight if ": " in headline or headline in insight else f"{headline} {insight}"


def states(headline: str, insight: str) -> bool:
    """Whether a headline is a sentence of the insight that can be read alone; topic lines and quotations are not."""
    stated = words(headline)
    if len(stated) < SHORTEST_STATEMENT or "“" in headline:
        return False
    return f" {' '.join(stated)} " in f" {' '.join(words(insight))} "
