"""Headlines that cannot say what was not said: a statement where one stands alone, else what a passage is about.

A topic line names people, things and figures of the passage in the words of the show, the most telling first
("Medicaid cuts: seniors, nursing homes, $800 billion"). It asserts nothing, so nothing is lost that a sentence hangs
on. A statement is a whole sentence of the passage, at most freed of what leads into it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.claims.grammar import finite, grammar, subject_of
from include.claims.offline.names import Names
from include.claims.offline.wording import capital
from include.models.meaning import rank
from include.words import words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

LONGEST = 14
LONGEST_LINE = 12
LONGEST_PHRASE = 6
SHORTEST = 5
MOST_THINGS = 3
FAMILIAR = 400
"""Up to which rank by frequency a word tells nothing of a passage."""
OUTSIDE = 29_000
"""From which rank on a word is none that the vocabulary knows."""
WORTH_NAMING = 1.6
LEAST_WORTH_NAMING = 0.9
CLEARLY = 0.5
PLAIN_TOPIC = 4.0
"""How much a thing must tell to stand in a topic line, and below how much its topic is looked for around it too."""

_NAMING = frozenset("PERSON ORG GPE PRODUCT NORP LAW EVENT WORK_OF_ART FAC LOC".split())
_COUNTING = frozenset("MONEY PERCENT QUANTITY CARDINAL".split())
_VAGUE = frozenset(
    (
        "thing fact point truth reason idea part bit one stuff lot sort kind people person folk guy something "
        "everything anything nothing someone everyone opposite place time moment today year day week month "
        "question other way example case side number couple end same hour minute man woman word term sense bunch "
        "amount level hand ton degree set group series range type form piece version plenty majority rest hundred "
        "thousand million billion trillion dozen dollar percent cetera shit crap hell"
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


_DENYING = frozenset("no not never nobody nothing wrong hardly only".split())
_ASKING = frozenset("WP WRB WDT UH WP$".split())
_MARKS = frozenset('" “ ” ? … ... - – — -- :'.split())


@dataclass(frozen=True, slots=True)
class Thing:
    """A phrase that names somebody, something or a figure, with its place in the passage; `value` is how much it tells
    of the passage, `about` how much it is what the passage turns on."""

    text: str
    at: int
    value: float
    about: float
    named: bool
    may_lead: bool
    often: bool
    key: frozenset[str]


def headline(told: str, before: str, near: Counter[str], names: Names, stopped: bool = True) -> str:
    """At most fourteen words that `told` holds, or, for its topic, what was said just `before`; empty where it names
    nothing. `near` counts the words said around it. Only where `stopped`, that is where the stops were written down by
    who heard it, is a sentence stated."""
    doc = grammar()(told)
    things = _things(doc, near, names)
    topic = max((t for t in things if t.may_lead), key=lambda thing: thing.about, default=None)
    if stopped:
        stated = next(filter(None, (_statement(sentence, topic) for sentence in doc.sents)), "")
        if stated:
            return stated
    few = sum(thing.value >= WORTH_NAMING for thing in things) < MOST_THINGS
    if topic is None or few or (topic.about < PLAIN_TOPIC and not topic.named):
        least = topic.about + (-CLEARLY if few else CLEARLY) if topic else 0.0
        earlier = [t for t in _things(grammar()(before), near, names) if t.may_lead and t.often and t.about > least]
        topic = max(earlier, key=lambda thing: thing.about, default=topic)
    return _line(things, topic)


def _line(things: Sequence[Thing], topic: Thing | None) -> str:
    if topic is None:
        return ""
    chosen = [topic]
    size = len(topic.text.split())
    for thing in sorted(things, key=lambda thing: -thing.value):
        if thing.value < (WORTH_NAMING if len(chosen) > 2 else LEAST_WORTH_NAMING):
            break
        fits = size + len(thing.text.split()) <= LONGEST_LINE
        if fits and not any(thing.key & other.key for other in chosen):
            chosen.append(thing)
            size += len(thing.text.split())
        if len(chosen) > MOST_THINGS:
            break
    rest = ", ".join(thing.text for thing in sorted(chosen[1:], key=lambda thing: thing.at))
    return capital(topic.text) + (f": {rest}" if rest else "")


def _things(doc: "Doc", near: Counter[str], names: Names) -> list[Thing]:
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
    named = bool(labels & _NAMING) and any(token.pos_ == "PROPN" for token in phrase)
    figure = bool(labels & _COUNTING) and any(_counts(token) for token in phrase)
    content = [t for t in phrase if t.pos_ in ("NOUN", "PROPN", "ADJ", "VERB", "NUM") and not t.is_stop]
    if not content or _called(phrase) or _reports(phrase, names):
        return None
    tells = [t for t in content if t.lemma_.lower() not in _VAGUE and t.pos_ != "NUM" and t.text[0].isalnum()]
    if not tells and not any(token.is_currency for token in phrase):
        return None
    rare = max((_rare(t.lower_) for t in tells), default=0.0)
    if named:
        rare = max(rare, 2.5)
    often = max((math.log(max(near[t.lower_], 1)) for t in tells if _rare(t.lower_) > 0.5 or named), default=0.0)
    titled = any(t.lower_ in names.title for t in tells)
    described = any(t.lower_ in names.about for t in tells)
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
    )
    text = _text(phrase)
    if len(phrase) == 1 and phrase[0].pos_ == "PROPN":
        text = names.full(text)
    key = frozenset(word.rstrip("s") for t in content if t.pos_ in ("NOUN", "PROPN") for word in words(t.text))
    key = key or frozenset(words(text))
    return Thing(text, phrase[0].i, value, about, named, not figure and phrase[0].lower_ != "no", often > 0, key)


def _counts(token: "Token") -> bool:
    return token.is_currency or (token.like_num and token.lower_ not in ("one", "two", "first", "second"))


def _rare(word: str) -> float:
    return max(0.0, math.log(max(rank(word), 1) / FAMILIAR))


def _phrase(chunk: "Span") -> list["Token"]:
    """The words of a noun phrase that name its thing, with an "of …" that belongs to it."""
    kept = _named(chunk)
    root = chunk.root
    counted = root.lemma_.lower() in _VAGUE and not any(t.like_num for t in kept)
    of = next((c for c in root.rights if c.dep_ == "prep" and c.lower_ == "of" and c.i == root.i + 1), None)
    if kept and of is not None:
        inner = next((c for c in chunk.doc.noun_chunks if c.start == of.i + 1), None)
        more = _named(inner) if inner is not None else []
        if more and more[-1].i - kept[0].i < LONGEST_PHRASE + 1:
            return more if counted else [*chunk.doc[kept[0].i : more[-1].i + 1]]
    vague = bool(kept) and kept[-1].lemma_.lower() in _VAGUE and not any(t.is_digit or t.is_currency for t in kept)
    initial = sum(len(token.text.strip(".")) for token in kept) < 2
    return [] if vague or initial else kept


def _named(chunk: "Span") -> list["Token"]:
    tokens = list(chunk)
    while (
        tokens
        and tokens[0].lower_ not in ("no", "more", "less")
        and (
            tokens[0].pos_ in ("DET", "PRON", "PUNCT", "CCONJ", "INTJ", "ADV", "SPACE", "ADP", "SCONJ", "AUX")
            or (tokens[0].lower_ in _LOOSE and not (len(tokens) > 1 and tokens[1].lower_ == "to"))
            or tokens[0].tag_ in ("POS", "PRP$")
        )
    ):
        tokens.pop(0)
    while tokens and ((tokens[-1].is_punct and tokens[-1].text != "%") or tokens[-1].tag_ == "POS"):
        tokens.pop()
    while tokens and tokens[0].i > 1 and tokens[0].nbor(-1).text == "-":
        tokens[:0] = [tokens[0].nbor(-2), tokens[0].nbor(-1)]
    root = chunk.root
    if not tokens or root not in tokens or root.pos_ not in ("NOUN", "PROPN", "NUM", "SYM"):
        return []
    return (
        tokens
        if len(tokens) <= LONGEST_PHRASE and not any(t.text in '.,;:!?…"' or not t.text.isprintable() for t in tokens)
        else []
    )


def _called(phrase: Sequence["Token"]) -> bool:
    """Whether somebody is called by name: "Look, Charlie, …"."""
    doc, first, last = phrase[0].doc, phrase[0].i, phrase[-1].i
    parted = (first == 0 or doc[first - 1].is_punct) and (last + 1 >= len(doc) or doc[last + 1].is_punct)
    return parted and phrase[-1].dep_ in ("npadvmod", "intj", "dep", "vocative", "appos", "ROOT")


def _reports(phrase: Sequence["Token"], names: Names) -> bool:
    """Whether a phrase names somebody of the show itself: "NPR's Ann Lee"."""
    return len(phrase) > 1 and phrase[1].tag_ == "POS" and phrase[0].lower_ in names.show


def _text(phrase: Sequence["Token"]) -> str:
    text = "".join(token.text_with_ws for token in phrase).strip()
    text = text.rstrip(".") if text.count(".") == 1 else text
    first = phrase[0]
    plain = first.pos_ != "PROPN" and first.ent_type_ not in _NAMING and rank(first.lower_) < OUTSIDE
    begins = first.is_sent_start and plain and text[1:2].islower()
    return text[0].lower() + text[1:] if begins else text


def _statement(sentence: "Span", topic: Thing | None) -> str:
    """A sentence about the topic that stands alone, without what leads into it; empty where it does not.

    Its subject is a name, a figure or the topic; it points at nothing outside it, asks nothing, is no quotation, hangs
    on no clause before it, and what follows does not deny it.
    """
    tokens = [t for t in sentence if not t.is_space]
    root, doc = sentence.root, sentence.doc
    if topic is None or not tokens or not tokens[0].text[0].isupper() or tokens[-1].text not in (".", "!"):
        return ""
    while tokens and tokens[0].pos_ in ("CCONJ", "INTJ", "PUNCT", "ADV") and tokens[0].lower_ not in _DENYING:
        tokens.pop(0)
    tokens = tokens[:-1]
    if not SHORTEST <= sum(not t.is_punct for t in tokens) <= LONGEST:
        return ""
    subject = subject_of(root, own=True)
    if not finite(root) or subject is None or subject.pos_ not in ("NOUN", "PROPN") or subject.i < tokens[0].i:
        return ""
    if subject.lemma_.lower() in _VAGUE or any(t.lower_ in _POINTING or t.tag_ in _ASKING for t in tokens):
        return ""
    if any(child.dep_ == "mark" for child in root.children) or any(t.text in _MARKS for t in tokens):
        return ""
    about = [t for t in subject.subtree if t.ent_type_ in _NAMING | _COUNTING or t.lower_.rstrip("s") in topic.key]
    telling = [
        t for t in tokens if (t.pos_ in ("NOUN", "PROPN", "ADJ", "NUM", "VERB") and _rare(t.lower_) > 1) or t.like_num
    ]
    follows = doc[sentence.end : sentence.end + 12]
    if not about or len(telling) < 2 or any(t.lower_ in _DENYING or t.dep_ == "neg" for t in follows):
        return ""
    return capital("".join(t.text_with_ws for t in tokens).strip(" ,;:"))
