"""The things a passage names: people, places, matters and figures, as phrases, with how much each tells of it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from include.claims.offline.names import Names
from include.claims.offline.wording import capital
from include.models.meaning import rank
from include.words import words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

LONGEST = 6
FAMILIAR = 400
"""Up to which rank by frequency a word tells nothing of a passage."""
OUTSIDE = 29_000
"""From which rank on a word is none that the vocabulary knows."""
PLAIN = 2.0
"""How rare, in logs of FAMILIAR, a single common word must be to stand for the matter of a passage."""
MEANT = 4.0
USUAL = 0.25
"""How much the likeness of a phrase's meaning to that of the passage counts, as a cosine, beyond the usual one."""

NAMING = frozenset("PERSON ORG GPE PRODUCT NORP LAW EVENT WORK_OF_ART FAC LOC".split())
_COUNTING = frozenset("MONEY PERCENT QUANTITY CARDINAL".split())
VAGUE = frozenset(
    (
        "thing fact point truth reason idea part bit one stuff lot sort kind people person folk guy something "
        "everything anything nothing someone everyone opposite place time moment today year day week month "
        "question other way example case side number couple end same hour minute man woman word term sense bunch "
        "amount level hand ton degree set group series range type form piece version plenty majority rest hundred "
        "thousand million billion trillion dozen dollar percent cent cetera shit crap hell"
    ).split()
)
"""Words that stand for a thing or count it and do not name it."""
_LOOSE = frozenset(
    (
        "one other many same such little more most own very certain whole entire several different few some any "
        "important actual proper given incredible amazing good better best big bigger great real only interesting "
        "huge crazy additional specific overall particular various"
    ).split()
)
_POINTING = frozenset(
    "this that these those it its they their them he him his she her hers we us our i me my you your there here both "
    "another other others such same former latter then else too either neither also one ones more less".split()
)


@dataclass(frozen=True, slots=True)
class Thing:
    """A phrase that names somebody, something or a figure, with its place in the passage. `value` is how much it tells
    of the passage, `about` how much it is what the passage turns on, `meant` how like its meaning is to that of the
    passage; `more` is the phrase with what is said right after it and belongs to it."""

    text: str
    more: str
    at: int
    value: float
    about: float
    named: bool
    figure: bool
    may_lead: bool
    often: bool
    key: frozenset[str]
    meant: float = 0.0

    def likened(self, meant: float) -> "Thing":
        """The same thing where the likeness of its meaning to that of the passage, as a cosine, is known."""
        more = MEANT * (meant - USUAL)
        return replace(self, meant=meant, value=self.value + more, about=self.about + more)


def things(doc: "Doc", near: Counter[str], names: Names) -> list[Thing]:
    """What the passage names, each thing once, in order."""
    found: dict[frozenset[str], Thing] = {}
    for chunk in doc.noun_chunks:
        phrase = _phrase(chunk)
        if not phrase:
            continue
        thing = _weighed(phrase, near, names)
        if thing is not None and (thing.key not in found or len(found[thing.key].text) < len(thing.text)):
            found[thing.key] = thing
    return list(found.values())


def _weighed(phrase: Sequence["Token"], near: Counter[str], names: Names) -> Thing | None:
    labels = {token.ent_type_ for token in phrase}
    named = bool(labels & NAMING) and any(token.pos_ == "PROPN" for token in phrase)
    figure = bool(labels & _COUNTING) and any(counts(token) for token in phrase)
    content = [t for t in phrase if t.pos_ in ("NOUN", "PROPN", "ADJ", "VERB", "NUM") and not t.is_stop]
    if not content or _called(phrase) or reports(phrase, names):
        return None
    tells = [t for t in content if t.lemma_.lower() not in VAGUE and t.pos_ != "NUM" and t.text[0].isalnum()]
    if not tells and not any(token.is_currency for token in phrase):
        return None
    rare = max((rarity(t.lower_) for t in tells), default=0.0)
    if named:
        rare = max(rare, 2.5)
    often = max((math.log(max(near[t.lower_], 1)) for t in tells if rarity(t.lower_) > 0.5 or named), default=0.0)
    titled = any(t.lower_ in names.title for t in tells)
    described = any(t.lower_ in names.about for t in tells)
    plain = len(tells) == 1 and not named and not titled and rarity(tells[0].lower_) < PLAIN
    subject = phrase[-1].dep_ in ("nsubj", "nsubjpass")
    value = 0.6 * rare + 0.5 * often + 0.5 * titled + 0.2 * described + 0.8 * named + 1.6 * figure + 0.3 * len(tells)
    about = (
        0.3 * rare * (1 + (often > 0))
        + 1.5 * often
        + 1.2 * titled
        + 0.5 * described
        + 0.8 * named
        + 0.5 * subject
        - 1.0 * (len(phrase) > 4)
        + 0.8 * (len(tells) > 1 and not named)
        + 0.5 * (phrase[-1].ent_type_ in NAMING)
        - 1.0 * plain
    )
    text = text_of(phrase)
    if len(phrase) == 1 and phrase[0].pos_ == "PROPN":
        text = names.full(text)
    key = frozenset(word.rstrip("s") for t in content if t.pos_ in ("NOUN", "PROPN") for word in words(t.text))
    more = _more(phrase)
    return Thing(
        text=text,
        more=text + more,
        at=phrase[0].i,
        value=value + 0.4 * bool(more),
        about=about,
        named=named,
        figure=figure,
        may_lead=not any(t.like_num for t in phrase) and phrase[0].lower_ != "no",
        often=often > 0,
        key=key or frozenset(words(text)),
    )


def _more(phrase: Sequence["Token"]) -> str:
    """What is said of a thing right after it, as far as it belongs to its phrase: "of winning the race"."""
    root, last = phrase[-1], phrase[-1].i
    for child in root.rights:
        if child.left_edge.i != last + 1 or child.dep_ not in ("prep", "acl", "relcl"):
            break
        ends = [child.right_edge.i]
        if child.dep_ == "prep":
            ends += [c.i for c in child.rights if c.dep_ == "pobj"]
        end = next((e for e in ends if _belongs(root.doc[root.i + 1 : e + 1])), None)
        if end is None:
            break
        last = end
    return "" if last == root.i else " " + root.doc[root.i + 1 : last + 1].text


def _belongs(run: "Span") -> bool:
    """Whether words belong to the phrase before them: they are few, end in a word of content, and point at nothing."""
    pointing = _POINTING - {"that", "more", "less"}
    # A capital in the middle is where a caption without stops begins another sentence.
    anew = any(t.text[0].isupper() and t.pos_ != "PROPN" and not t.ent_type_ for t in run)
    barred = anew or any(t.is_punct or t.tag_ in ("PRP", "PRP$") or t.lower_ in pointing for t in run)
    return len(run) <= LONGEST and not barred and run[-1].pos_ in ("NOUN", "PROPN", "NUM", "ADJ", "ADV", "VERB")


def counts(token: "Token") -> bool:
    return token.is_currency or (token.like_num and token.lower_ not in ("one", "two", "first", "second"))


def rarity(word: str) -> float:
    return max(0.0, math.log(max(rank(word), 1) / FAMILIAR))


def _phrase(chunk: "Span") -> list["Token"]:
    """The words of a noun phrase that name its thing, with an "of …" that belongs to it."""
    kept = named_by(chunk)
    root = chunk.root
    counted = root.lemma_.lower() in VAGUE and not any(t.like_num for t in kept)
    of = next((c for c in root.rights if c.dep_ == "prep" and c.lower_ == "of" and c.i == root.i + 1), None)
    if kept and of is not None:
        inner = next((c for c in chunk.doc.noun_chunks if c.start == of.i + 1), None)
        more = named_by(inner) if inner is not None else []
        if more and more[-1].i - kept[0].i < LONGEST + 1:
            return more if counted else [*chunk.doc[kept[0].i : more[-1].i + 1]]
    vague = bool(kept) and kept[-1].lemma_.lower() in VAGUE and not any(t.is_digit or t.is_currency for t in kept)
    initial = sum(len(token.text.strip(".")) for token in kept) < 2
    return [] if vague or initial else kept


def named_by(chunk: "Span") -> list["Token"]:
    """The words of a noun phrase that name its thing; a word that was said twice once."""
    tokens = [t for t in chunk if t.i == chunk.start or t.lower_ != t.nbor(-1).lower_]
    while (
        tokens
        and tokens[0].lower_ not in ("no", "more", "less")
        and not (tokens[0].pos_ == "ADV" and len(tokens) > 1 and tokens[1].tag_ == "VBN")
        and (
            tokens[0].pos_ in ("DET", "PRON", "PUNCT", "CCONJ", "INTJ", "ADV", "SPACE", "ADP", "SCONJ", "AUX")
            or (tokens[0].lower_ in _LOOSE and not (len(tokens) > 1 and tokens[1].lower_ == "to"))
            or tokens[0].tag_ in ("POS", "PRP$")
        )
    ):
        tokens.pop(0)
    while tokens and ((tokens[-1].is_punct and tokens[-1].text != "%") or tokens[-1].tag_ == "POS"):
        tokens.pop()
    while tokens and tokens[0].i > 1 and tokens[0].nbor(-1).text == "-" and not tokens[0].nbor(-1).whitespace_:
        tokens[:0] = [tokens[0].nbor(-2), tokens[0].nbor(-1)]
    root = chunk.root
    if not tokens or root not in tokens or root.pos_ not in ("NOUN", "PROPN", "NUM", "SYM"):
        return []
    return (
        tokens
        if len(tokens) <= LONGEST and not any(t.text in '.,;:!?…"–—' or not t.text.isprintable() for t in tokens)
        else []
    )


def _called(phrase: Sequence["Token"]) -> bool:
    """Whether somebody is called by name: "Look, Charlie, …"."""
    doc, first, last = phrase[0].doc, phrase[0].i, phrase[-1].i
    parted = (first == 0 or doc[first - 1].is_punct) and (last + 1 >= len(doc) or doc[last + 1].is_punct)
    return parted and phrase[-1].dep_ in ("npadvmod", "intj", "dep", "vocative", "appos", "ROOT")


def reports(phrase: Sequence["Token"], names: Names) -> bool:
    """Whether words name who brings a report, not what it is about: "NPR's Ann Lee", "Ann Lee has more"."""
    if any(a.lower_ in names.show and b.tag_ == "POS" for a, b in pairwise(phrase[:6])):
        return True
    verb = phrase[-1].head
    more = verb.lemma_ == "have" and any(child.lower_ == "more" for child in verb.children)
    return phrase[-1].ent_type_ == "PERSON" and phrase[-1].dep_ == "nsubj" and (more or verb.lemma_ == "report")


def text_of(phrase: Sequence["Token"]) -> str:
    text = "".join(_spelt(token) + token.whitespace_ for token in phrase).strip()
    text = text.rstrip(".") if text.count(".") == 1 else text
    first = phrase[0]
    plain = first.pos_ != "PROPN" and first.ent_type_ not in NAMING and rank(first.lower_) < OUTSIDE
    begins = first.is_sent_start and plain and text[1:2].islower()
    return text[0].lower() + text[1:] if begins else text


def _spelt(token: "Token") -> str:
    """A word as it is written: a name with a capital, also where captions leave it out."""
    named = token.ent_type_ in ("PERSON", "GPE", "NORP") and token.pos_ == "PROPN"
    return capital(token.text) if named and token.text.islower() else token.text
