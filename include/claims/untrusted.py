"""Text that strangers wrote, made fit to be shown to a chat model as data."""

import unicodedata


def visible(text: str) -> str:
    """The text on one line without characters that nobody sees: controls, zero-width and bidirectional marks, tags."""
    return " ".join("".join(" " if c.isspace() or _breaks(c) else c for c in text if not _hidden(c)).split())


def legible(text: str) -> str:
    """As `visible`, but a hidden character between two letters becomes a space, so that the words stay those that
    `include.claims.claim.words` finds in the text as it was."""
    shown = []
    for i, c in enumerate(text):
        if not _hidden(c):
            shown.append(" " if _breaks(c) else c)
        elif 0 < i < len(text) - 1 and text[i - 1].isalnum() and text[i + 1].isalnum():
            shown.append(" ")
    return "".join(shown)


_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def _hidden(c: str) -> bool:
    if c < "\x7f":
        return c < " " and c not in "\t\n\r\x0b\x0c"
    return unicodedata.category(c) in ("Cf", "Cc", "Co", "Cs") or c in _BLANKS or "\U000e0100" <= c <= "\U000e01ef"


def _breaks(c: str) -> bool:
    return c in "\t\n\r\x0b\x0c\x85\u2028\u2029"
