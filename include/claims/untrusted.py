"""Text that strangers wrote, made fit to be shown to a chat model as data."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence


def as_data(text: str) -> str:
    """The text on one line, with nothing hidden in it and no character that a prompt's own marks are made of.

    Angle and square brackets become their typographic and round likes and rows of backticks and hashes fall to one,
    so that nothing in the text can close the frame it stands in, open another, or pass for a numbered line.
    """
    return re.sub(r"([`#=~*_-])\1{2,}", r"\1", visible(text).translate(_BRACKETS))


def visible(text: str) -> str:
    """The text on one line without characters that nobody sees: controls, zero-width and bidirectional marks, tags."""
    return " ".join("".join(" " if _breaks(c) else c for c in text if not _hidden(c)).split())


def legible(text: str) -> str:
    """The text without hidden characters, where one between two letters becomes a space: so the words stay those that
    `include.claims.claim.words` finds in the text as it was."""
    shown = []
    for i, c in enumerate(text):
        if not _hidden(c):
            shown.append(" " if _breaks(c) else c)
        elif 0 < i < len(text) - 1 and text[i - 1].isalnum() and text[i + 1].isalnum():
            shown.append(" ")
    return "".join(shown)


def without_orders(text: str) -> str:
    """The text without the sentences that speak to a model, on one line: see `orders_cut`."""
    return orders_cut([text])[0]


def gives_orders(text: str) -> bool:
    """Whether any sentence of the text speaks to a model that reads, rates or sums it up, or plays its answer."""
    shown = visible(text)
    return any(_is_order(shown[start:end]) for start, end in _stretches(shown))


def orders_cut(texts: Sequence[str]) -> list[str]:
    """The texts, spoken one after the other by one person, each on one line, without sentences that speak to a model.

    A sentence may run on from one text into the next. This is a filter by known phrases: it takes away the common
    orders so that a passage reads the same with and without them. What it does not know still meets a prompt that
    calls the text data, grounding, and answers that are checked; a sentence about such orders is lost with them.
    """
    shown = [visible(text) for text in texts]
    joined = " ".join(shown)
    keep = bytearray(b"\x01") * len(joined)
    for start, end in _stretches(joined):
        if _is_order(joined[start:end]):
            keep[start:end] = bytes(end - start)
    cut = []
    place = 0
    for text in shown:
        kept = "".join(c for i, c in enumerate(text, place) if keep[i])
        cut.append(" ".join(kept.split()))
        place += len(text) + 1
    return cut


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of a text, as (start, end). Speech without punctuation comes in stretches of thirty words, each of
    which begins in the middle of the one before."""
    start = middle = count = 0
    for word in re.finditer(r"\S+\s*", text):
        count += 1
        if count == 15:
            middle = word.end()
        if _SENTENCE_END.search(word.group()) or word.end() == len(text):
            yield start, word.end()
            start, count = word.end(), 0
        elif count == 30:
            yield start, word.end()
            start, count = middle, 15
            middle = word.end()


@functools.lru_cache(maxsize=1 << 15)
def _is_order(sentence: str) -> bool:
    # A sentence belongs to many passages, and each of them asks.
    plain = unicodedata.normalize("NFKC", sentence).casefold().translate(_LOOKALIKES)
    return any(order.search(plain) for order in _ORDERS)


_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]}]*\s*$")
_JUDGE = r"(?:ai )?(?:graders?|judges?|raters?|evaluators?|summari[sz]ers?)"
_MODEL = rf"(?:a\.?i\.?|llms?|(?:large )?language models?|chat ?gpt|chat ?bots?|claude|gemini|gpt|assistants?|{_JUDGE})"
_BEST = r"(?:10|ten|5|five|100|a hundred|highest|maximum|max|top|perfect|full|best)"
_MARKS = r"(?:scores?|ratings?|points?|marks?|stars?|grades?)"
_PARTS = r"(?:novelty|specificity|evidence|significance|overall)"
_FIELDS = rf"(?:{_PARTS}|score|rating|quote|headline|insight|claims?|better|verdicts?|first_line)"
_THIS = r"(?:this|it|me|us|my|claim|passage|quote|insight|segment|episode|everything|all)"
_TOLD = (
    r"(?:instru\w+|prompts?|rules?|directions?|directives?|guidelines?|rubric|criteria|anweisung\w*|regeln|consignes"
    r"|reglas)"
)
_TASK = r"(?:task|job|role|goal|instructions?)"
_ORDERS = [
    re.compile(pattern)
    for pattern in (
        # forget what you were told
        r"\b(?:ignor(?!ed\b|es\b)\w*|disregard(?!ed\b|s\b)\w*|forget|override|bypass|overlook|vergiss|olvid\w+|oubli\w+)\b"
        rf".{{0,60}}\b{_TOLD}\b",
        r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:told|said|written) (?:before|above|earlier)\b",
        r"\b(?:new|updated|real|actual|revised|following|hidden|secret) (?:system )?"
        r"(?:instructions?|prompt|directives?)\b\s*(?:[:.-]|is\b|are\b|follow)",
        rf"\byour (?:(?:new|real|actual|only) {_TASK} (?:is|are)|{_TASK} (?:is|are) now)\b",
        r"^\W*(?:system|developer|admin(?:istrator)?) (?:prompt|message|override|note|instructions?)\b\W*[:.-]",
        r"\b(?:system|developer|admin) override\b",
        r"^\W*(?:system|assistant|developer|user|instructions?|human)\s*[:>\]|]",
        r"(?:<\|?|‹\|?|\[/?|\|)\s*(?:im_start|im_end|inst|system|assistant|endoftext|sys)\b",
        # spoken to the reader that is no person
        r"\b(?:dear|hey|hello|hi|attention|note to|message (?:to|for)|listen)[,:]? (?:to )?(?:the |any |all )?"
        rf"{_MODEL}\b",
        rf"\b(?:if|when) you(?:'re| are) (?:an? |the )?{_MODEL}\b",
        rf"\byou are (?:now|no longer) (?:an? |the )?(?:\w+ )?{_MODEL}\b",
        rf"^\W*you are (?:an? |the )(?:\w+ )?{_MODEL}\b",
        rf"\b{_MODEL} (?:reading|processing|rating|scoring|grading|evaluating|summari[sz]ing) this\b",
        rf"\b{_MODEL},? (?:you )?(?:must|should|shall|please|are (?:to|required)|has to|have to)\b.{{0,80}}"
        r"\b(?:scor|rat|rank|grad|choos|select|pick|output|answer|respond|reply|mark|includ|prefer)",
        r"\b(?:from now on|henceforth),? (?:you|answer|respond|act|always)\b",
        r"\b(?:pretend|act as(?: if)?|roleplay|imagine) (?:you(?:'re| are)?|an?)\b.{0,40}"
        r"\b(?:model|assistant|grader|judge|evaluator|unrestricted|dan)\b",
        # rate this so
        rf"\b(?:scor|rat|rank|grad|mark)(?:e|es|ed|ing|s)?\b[^.]{{0,40}}\b{_THIS}\b[^.]{{0,60}}\b{_BEST}\b",
        rf"\b(?:give|award|assign|grant)\b.{{0,40}}\b{_THIS}\b.{{0,40}}\b{_BEST}\b.{{0,30}}\b(?:{_MARKS}|out of)\b",
        rf"\b(?:give|award|assign|grant) (?:this|it|me|us)(?: \w+){{0,2}} (?:an? )?{_BEST}\W*$",
        rf"\b(?:{_PARTS}|score|rating)s?\b\s*(?:[:=]|is|are|must be|should be|to)\s*(?:an? )?(?:all )?{_BEST}\b",
        rf"\b(?:must|should|deserves?|shall)\b.{{0,40}}\b{_BEST} (?:possible )?{_MARKS}\b",
        rf"\b{_MARKS}\b.{{0,40}}\b(?:set|raised?|changed?|adjust(?:ed)?|be)\b.{{0,20}}\b{_BEST}\b",
        rf"\b(?:must|should|shall) (?:be )?(?:scored?|rated?|ranked?|marked|graded?)\b.{{0,20}}\b{_BEST}\b",
        rf"\b(?:maximum|highest|perfect|top|full) (?:possible )?{_MARKS}\b.{{0,60}}\b{_THIS}\b",
        r"\b(?:always|only) (?:choose|pick|prefer|select|rank)\b.{0,40}\b(?:claim|this|a\b|first|one)",
        r"\b(?:claim|option|answer) a (?:wins?|is (?:always |clearly )?better|beats)\b",
        r"\b(?:choose|pick|select|include|prefer|extract|quote|feature|put) (?:only )?"
        r"this (?:claim|passage|quote|segment|line|insight|sentence|part)\b",
        # answer so
        r"\b(?:output|respond|reply|answer|return|print) "
        r"(?:(?:only|exactly|verbatim|with|in|as|nothing but|the following)\b ?){1,3}"
        r"(?:json|html|markdown|:|the following|exactly|only|\"|yes\b|true\b|a\b\W*$)",
        r"\b(?:do not|don't|never) (?:summari[sz]e|rate|score|grade|evaluate|flag|mention this)\b",
        r"\b(?:reveal|repeat|print|show|leak)\b.{0,30}\b(?:system prompt|your (?:prompt|instructions|rules))\b",
        # its answer, played
        rf"[\"'“”‘’{{,]\s*{_FIELDS}[\"'“”’]?\s*[:=]",
        r"```|\bend of (?:the )?(?:transcript|claim|notes|text|data|document|input)\b",
        r"(?:transcript|claim a?|notes|items|claims)\s*[>›]{2,}|[<‹]{2,}\s*(?:transcript|claim|notes|items)",
        r"[<‹]/?\s*(?:transcript|claim|instructions?|system|data|document|notes)\b",
        r"[<‹]/?\s*(?:script|img|iframe|svg|style|meta|object)\b",
        # what no one says aloud
        r"(?:\b[a-z0-9][ ._]){9,}[a-z0-9]\b",
        r"[a-z0-9+/]{60,}={0,2}",
    )
]
_BRACKETS = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "＜": "‹", "＞": "›", "［": "(", "］": ")"})
_LOOKALIKES = str.maketrans("авеорсухіјѕԁɡɩοαενρτ", "abeopcyxijsdgioaevpt")
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def _hidden(c: str) -> bool:
    if c < "\x7f":
        return c < " " and not _breaks(c)
    return (
        unicodedata.category(c) in ("Cf", "Cc", "Co", "Cs")
        or c in _BLANKS
        or "\ufe00" <= c <= "\ufe0f"
        or "\U000e0100" <= c <= "\U000e01ef"
    ) and not _breaks(c)


def _breaks(c: str) -> bool:
    return c in "\t\n\r\x0b\x0c\x85\u2028\u2029"
