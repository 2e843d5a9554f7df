"""Why a claim was chosen, in a reader's words: what can be seen in its text, what sets it apart from others first."""

import re
from collections.abc import Mapping

from include.claims.facts import Unsupported, as_said, unsupported
from include.claims.offline.worth import GROUPS, UNFIT, Weights

MOST = 3
LONGEST_FACT = 40
"""In characters, of a figure that is told."""
NOTHING_SEEN = "in the speaker's own words"

# What is told of a text that has such words, by the group of signals that they belong to.
_TOLD: dict[str, dict[str, str]] = {
    "causes": {
        "gives the reason why": r"because|therefore|consequently|which is why|that's why|the (?:\w+ )?reason|"
        r"as a result|due to|(?:leads?|led) to|caus(?:e|es|ed|ing)|so that|thanks to",
    },
    "stakes": {
        "says what is at stake": r"at stake|risks?|risky|dangers?|dangerous|threat(?:en(?:s|ed)?)?s?|crisis|"
        r"harm(?:s|ed|ful)?|vulnerable|consequences?|fatal|deadly|"
        r"cost(?:s|ing)? (?:\w+ ){0,2}(?:jobs|lives|money|us|them|you|people)",
    },
    "contrast": {
        "weighs one thing against another": r"(?:more|less|fewer|better|worse|\w{3,}er) (?:\w+ ){0,2}than|"
        r"instead of|rather than|whereas|unlike|compared (?:to|with)|as opposed to|on the other hand|trade-?offs?",
    },
    "findings": {
        "tells what was found": r"stud(?:y|ies)|research(?:ers)?|survey(?:s|ed)?|experiments?|evidence|turns? out|"
        r"found (?:that|out)|discovered|measured|benchmarks?|(?:the|this|their|our) data",
        "tells what changed": r"grew|growing|grown|increas(?:e|ed|es|ing)|decreas(?:e|ed|es|ing)|dropped|fell|fallen|"
        r"rose|risen|doubled|tripled|halved|no longer|used to be|(?:has|have|had) become|changed",
    },
    "conditions": {
        "gives an example": r"for example|for instance|such as|imagine|let's say",
        "says when it holds": r"unless|only (?:if|when)|as long as|depends on|provided that",
    },
    "person": {
        "said first-hand": r"I(?:'ve| have)? (?:built|ran|wrote|made|spent|worked|learned|found|tried|met|led|founded|"
        r"started|treated|studied|interviewed|covered|reported|lived|saw|seen|helped|created|joined|taught|grew up)|"
        r"when I was|in my (?:own )?(?:experience|work|practice|career|life|case)",
    },
}
_SEEN = {
    group: {said: re.compile(rf"\b(?:{shown})\b", 0 if group == "person" else re.I) for said, shown in some.items()}
    for group, some in _TOLD.items()
}


def reason(features: Mapping[str, float], text: str, weights: Weights) -> str:
    """Up to three things that a reader can see in a claim's text, what sets it most apart from other claims first.
    `features` are the claim's figures: what each group of signals adds to its worth."""
    if features.get("worth", 0.0) <= UNFIT:
        return "sells, keeps house or speaks to a model"
    usual = zip(GROUPS, weights.chosen_mean.tolist(), weights.chosen_spread.tolist(), strict=True)
    apart = {g: (features.get(g, 0.0) - mean) / max(spread, 1e-6) for g, mean, spread in usual}
    told = [words for group in sorted(GROUPS, key=lambda g: -apart[g]) if (words := _told(group, text))]
    return "; ".join(told[:MOST]) or NOTHING_SEEN


def _told(group: str, text: str) -> str | None:
    """What a reader would say of a text for which a group of signals speaks; None where it does not bear that out."""
    if group == "numbers":
        figure = next(filter(None, map(_figure, _figures(text))), None)
        return f"names a figure: {figure}" if figure else None
    return next((said for said, shown in _SEEN.get(group, {}).items() if shown.search(text)), None)


def _figures(text: str) -> list[str]:
    """The numbers of a text that are written in digits, with the words after them."""
    digits = tuple(n for n in unsupported(text, "", frozenset()).numbers if n[:1].isdigit())
    return as_said(text, Unsupported(digits))


def _figure(said: str) -> str | None:
    """A number with what it counts; None where that is not said, as of a year, and where it is too long to tell."""
    while said and _NOT_COUNTED.search(said):
        said = _NOT_COUNTED.sub("", said)
    counts = re.search(r"[$€£%]|\d \w", said)
    return said if counts and not _YEAR.match(said) and len(said) <= LONGEST_FACT else None


_NOT_COUNTED = re.compile(r" (?:[A-Z]\S*|\w+ed)$")
_YEAR = re.compile(r"(?:1[89]|20)\d\d\b")
