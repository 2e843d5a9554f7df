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
from include.claims.offline.statements import LONGEST, SPEAKERS, Statement, statements
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
CLEARLY_MEANT = 0.35
"""How much a thing must tell to be named after the topic; how like it must be to the passage if it is no name or
figure, or the notes of the episode say what its matter is."""
SHORTEST_MATTER = 3
"""How many words the notes must have for a matter so that it is told alone."""
CLEARLY = 0.5
PLAIN_TOPIC = 4.0
LEAST_TOPIC = 2.5
"""How much a thing must tell to be looked for no further as the topic, and to be that of a quotation."""

_IT = frozenset("it that this there".split())
"""What mostly stands for nothing that has a name before "is": "It's not as though"."""
_PERSONS = frozenset("he him his she her hers they them their theirs".split())
_SOMEONE = frozenset("he him his she her hers".split())


def headline(
    told: str,
    before: str,
    near: Counter[str],
    names: Names,
    meaning: np.ndarray,
    written: Collection[str] | None = None,
    matter: str = "",
    speaker: str = "",
) -> str:
    """At most 22 words that `told` holds, or, for its topic, what was said just `before`; empty where it names nothing.
    `matter` is what the notes of the episode call what the passage is about: they know best, where they call it
    something, and it is the topic. `speaker` is who says it, by name, if that is known.

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
            if stated.reporter:
                return f"{_reporter(stated.reporter)}: {stated.text}"
            return _joined(matter, stated.text) if matter and _is_placeless(stated, matter) else stated.text
    if matter:
        quoted = next((s for s in said if _is_quotable(s) and _telling(s, topic) >= WORTH_QUOTING), None)
        telling = [t for t in named if t.named or t.figure or (t.meant >= CLEARLY_MEANT and " " in t.more)]
        if len(words(matter)) < SHORTEST_MATTER:
            telling = named
        rest = f"“{quoted.text}”" if quoted else _besides(telling, _stems(matter), MOST_THINGS - 1, LONGEST_LINE // 2)
        return _joined(matter, rest)
    own = next((s for s in said if speaker and not s.points and _is_quotable(s)), None)
    if own is not None and _telling(own, topic) >= WORTH_QUOTING:
        return f"{speaker}: “{own.text}”"
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
    if thin and own is not None and _telling(own, topic) >= WORTH_QUOTING - THIN:
        return f"{speaker}: “{own.text}”"
    for stated in said:
        found = "" if stated.vague and not thin else _quoted(doc, stated, leading)
        if found and _telling(stated, topic) >= WORTH_QUOTING - THIN * (thin and not stated.vague):
            return found
    return line


def _joined(matter: str, rest: str) -> str:
    if not rest:
        return matter
    if matter[-1] in "?!…":
        return f"{matter} {capital(rest)}"
    return f"{matter} – {rest}" if ": " in matter else f"{matter}: {rest}"


def _is_placeless(stated: Statement, matter: str) -> bool:
    """Whether a statement names nobody and nothing by name, so that its matter is said with it where there is room."""
    room = stated.size + len(words(matter)) <= LONGEST
    return room and not any(t.ent_type_ in NAMING for t in stated.tokens) and not _stems(matter) & _stems(stated.text)


def _is_quotable(stated: Statement) -> bool:
    """Whether a statement is understood as a quotation under the matter that is spoken of."""
    pointing = stated.points and _PERSONS & {token.lower_ for token in stated.tokens}
    return not stated.vague and not pointing and stated.size <= LONGEST_QUOTED


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
    """The topic, and what tells most of the passage besides."""
    if topic is None:
        return ""
    rest = _besides(named, _stems(topic.more) | topic.key, MOST_THINGS, LONGEST_LINE - len(topic.text.split()))
    return capital(topic.text) + (f": {rest}" if rest else "")


def _besides(named: Sequence[Thing], topic: frozenset[str], most: int, longest: int) -> str:
    """What tells most of the passage besides its topic, in the order of the passage."""
    chosen: list[Thing] = []
    for thing in sorted(named, key=lambda thing: -thing.value):
        if thing.value < (WORTH_NAMING if len(chosen) > 1 else LEAST_WORTH_NAMING) or len(chosen) >= most:
            break
        size = sum(len(one.more.split()) for one in [*chosen, thing])
        tells = thing.named or thing.figure or thing.meant >= LEAST_MEANT
        again = _share(_stems(thing.more), topic) or any(
            _share(_stems(thing.more), t.key) or _share(thing.key, _stems(t.more)) for t in chosen
        )
        if size <= longest and tells and not again:
            chosen.append(thing)
    return ", ".join(thing.more for thing in sorted(chosen, key=lambda thing: thing.at))
