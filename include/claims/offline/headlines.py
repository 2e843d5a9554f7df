"""Headlines that cannot say what was not said: a statement where one stands alone, else what a passage is about.

A statement is a clause of the passage that can be read alone, or one that is understood with its topic: that is quoted
("Gavin Newsom: “He's going to sue the Trump administration”"). Where there is none, a topic line names people,
things and figures of the passage in the words of the show ("Medicaid cuts: seniors, nursing homes, $800 billion"). It
asserts nothing, so nothing is lost that a sentence hangs on.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from include.claims.grammar import grammar
from include.claims.offline.names import Names
from include.claims.offline.statements import SPEAKERS, Statement, statements
from include.claims.offline.things import NAMING, VAGUE, Thing, counts, named_by, rarity, reports, text_of, things
from include.claims.offline.wording import capital
from include.models.embedding import bundled_encoder
from include.words import words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

WORTH_STATING = 4.0
WORTH_QUOTING = 3.5
THIN = 1.5
"""How much a statement must tell to head a passage, alone or with its topic; and by how much less where a topic line
names but one thing besides the topic."""
MEANT = 6.0
USUAL = 0.5
"""How much the likeness of a statement's meaning to that of its passage counts, as a cosine, beyond the usual one."""
LONGEST_QUOTED = 15
LONGEST_LINE = 14
MOST_THINGS = 3
WORTH_NAMING = 1.6
LEAST_WORTH_NAMING = 0.9
LEAST_MEANT = 0.2
"""How much a thing must tell to be named after the topic; how like it must be to the passage if it is no name or
figure."""
CLEARLY = 0.5
PLAIN_TOPIC = 4.0
LEAST_TOPIC = 2.5
"""How much a thing must tell to be looked for no further as the topic, and to be that of a quotation."""

_IT = frozenset("it that this there".split())
"""What mostly stands for nothing that has a name before "is": "It's not as though"."""
_SOMEONE = frozenset("he him his she her hers".split())


def headline(
    told: str,
    before: str,
    near: Counter[str],
    names: Names,
    meaning: np.ndarray,
    written: Collection[str] | None = None,
) -> str:
    """At most 22 words that `told` holds, or, for its topic, what was said just `before`; empty where it names nothing.

    `near` counts the words said around it, `meaning` is the passage's, as a unit vector. A sentence is stated only
    where its borders were written down by who heard it: those of `written`, as words parted by blanks; all where it is
    None. Costs some fifteen embeddings of a few words.
    """
    doc = grammar()(told)
    said = [s for s in statements(doc) if _is_whole(s, written) and not reports(s.tokens, names)]
    named, said = _likened(meaning, things(doc, near, names), said)
    topic = max((t for t in named if t.may_lead), key=lambda thing: thing.about, default=None)
    said.sort(key=lambda s: -_telling(s, topic))
    for stated in said:
        if stated.alone and _telling(stated, topic) >= WORTH_STATING:
            return f"{_reporter(stated.reporter)}: {stated.text}" if stated.reporter else stated.text
    few = sum(thing.value >= WORTH_NAMING for thing in named) < MOST_THINGS
    if topic is None or few or (topic.about < PLAIN_TOPIC and not topic.named):
        least = topic.about + (-CLEARLY if few else CLEARLY) if topic else 0.0
        earlier, _ = _likened(
            meaning, [t for t in things(grammar()(before), near, names) if t.may_lead and t.often], []
        )
        topic = max((t for t in earlier if t.about > least), key=lambda thing: thing.about, default=topic)
    leading = [thing for thing in [*named, *([topic] if topic else [])] if thing.may_lead]
    line = _line(named, topic)
    thin = ", " not in line
    for stated in said:
        found = "" if stated.vague and not thin else _quoted(doc, stated, leading)
        if found and _telling(stated, topic) >= WORTH_QUOTING - THIN * (thin and not stated.vague):
            return found
    return line


def _is_whole(stated: Statement, written: Collection[str] | None) -> bool:
    return written is None or any(" ".join(words(stated.text)) in sentence for sentence in written)


def _likened(
    meaning: np.ndarray, named: Sequence[Thing], said: Sequence[Statement]
) -> tuple[list[Thing], list[Statement]]:
    """Things and statements with the likeness of their meaning to that of the passage."""
    vectors = bundled_encoder().encode([*(t.text for t in named), *(s.text for s in said)])
    alike = (vectors @ meaning).tolist()
    return (
        [thing.likened(meant) for thing, meant in zip(named, alike, strict=False)],
        [replace(stated, meant=meant) for stated, meant in zip(said, alike[len(named) :], strict=True)],
    )


def _telling(stated: Statement, topic: Thing | None) -> float:
    """How much a statement tells: by its names, figures and rare words, by its topic, and by what it means."""
    content = {
        t.lower_: min(rarity(t.lower_), 3.0)
        for t in stated.tokens
        if t.pos_ in ("NOUN", "PROPN", "ADJ", "VERB") and t.lemma_.lower() not in VAGUE and not t.is_stop
    }
    figure = any(counts(t) for t in stated.tokens)
    named = any(t.ent_type_ in NAMING for t in stated.tokens)
    about = topic is not None and bool(topic.key & _stems(stated.text))
    told = sum(content.values()) / 2 + 1.5 * figure + named + 1.5 * about
    return told + MEANT * (stated.meant - USUAL) - 0.25 * max(0, stated.size - 12)


def _share(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether words have one in common, or one that is made of another, as "Iranian" is of "Iran"."""
    return any(
        a == b or (min(len(a), len(b)) >= 4 and (a.startswith(b) or b.startswith(a))) for a in some for b in others
    )


def _stems(text: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for word in words(text))


def _quoted(doc: "Doc", stated: Statement, leading: Sequence[Thing]) -> str:
    """A statement that is understood with its topic, as a quotation; empty where it is not. One that stands alone is
    told as it is."""
    is_it = stated.subject.lower_ in _IT and stated.subject.head.lemma_ == "be"
    if stated.reporter or stated.subject.lower_ == "i" or is_it:
        return ""
    if stated.alone or stated.size > LONGEST_QUOTED:
        return stated.text if stated.alone else ""
    spoken = _stems(stated.text)
    points = stated.points or stated.subject.lower_ == "one"
    if not points and any(thing.key & spoken and thing.about >= PLAIN_TOPIC for thing in leading):
        return f"“{stated.text}”"
    topic = _antecedent(doc, stated, [thing for thing in leading if not thing.key & spoken])
    return f"{capital(topic.text)}: “{stated.text}”" if topic is not None and topic.about >= LEAST_TOPIC else ""


def _antecedent(doc: "Doc", stated: Statement, leading: Sequence[Thing]) -> Thing | None:
    """What "it" or "she" in a statement most likely stands for: the last thing named before it. None where that is
    none of the things, or no person where one is meant, or the speakers speak of themselves."""
    pronouns = {t.lower_ for t in stated.tokens}
    if pronouns & SPEAKERS:
        return None
    someone = bool(pronouns & _SOMEONE)
    for chunk in reversed([c for c in doc.noun_chunks if c.end <= stated.tokens[0].i]):
        labels = {t.ent_type_ for t in chunk} & NAMING
        thing = next((thing for thing in leading if thing.key & _stems(chunk.text)), None)
        if labels or (thing is not None and not someone):
            return thing if not someone or "PERSON" in labels else None
    return None


def _reporter(token: "Token") -> str:
    """Who says something, as the passage names them."""
    chunk = next((c for c in token.doc.noun_chunks if c.start <= token.i < c.end), None)
    return capital(text_of((chunk is not None and named_by(chunk)) or [token]))


def _line(named: Sequence[Thing], topic: Thing | None) -> str:
    """The topic, and what tells most of the passage besides, in its order."""
    if topic is None:
        return ""
    chosen = [topic]
    size = len(topic.text.split())
    for thing in sorted(named, key=lambda thing: -thing.value):
        if thing.value < (WORTH_NAMING if len(chosen) > 2 else LEAST_WORTH_NAMING) or len(chosen) > MOST_THINGS:
            break
        fits = size + len(thing.more.split()) <= LONGEST_LINE
        tells = thing.named or thing.figure or thing.meant >= LEAST_MEANT
        again = any(_share(_stems(thing.more), t.key) or _share(thing.key, _stems(t.more)) for t in chosen)
        if fits and tells and not again:
            chosen.append(thing)
            size += len(thing.more.split())
    rest = ", ".join(thing.more for thing in sorted(chosen[1:], key=lambda thing: thing.at))
    return capital(topic.text) + (f": {rest}" if rest else "")
