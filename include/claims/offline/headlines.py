"""Headlines: the one clause of a spoken passage that says most, cut out of it faithfully.

A headline is made by leaving out, never by adding or reordering: a finite clause with its own subject is taken from
the passage by its grammar, and what can go without changing what is claimed goes until fourteen words are left. A
condition, a negation or a comparison never goes, nor does "I don't think" or "they say" in front of what is thought.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING

from include.claims.grammar import finite, grammar, subject_of
from include.claims.offline.wording import capital, readable

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

LONGEST = 14
SHORTEST = 4
BROKEN_OFF = 1.2
"""By how much more a clause that breaks off must tell than a whole one."""
LEAST = 0.0
"""How much a clause must tell at least to be preferred to what the passage begins with."""

_OWN_VERBS = frozenset(
    (
        "think believe feel find say know see guess mean notice realize learn hear love like add argue suppose figure "
        "discover"
    ).split()
)
_BELIEVING = frozenset("think believe feel suppose figure guess mean".split())
_FRAME_NOUNS = frozenset(
    (
        "thing fact point truth reality reason idea part bit one observation hypothesis takeaway lesson result upshot "
        "news key problem issue question side advantage challenge catch difference way example case trick benefit"
    ).split()
)
_TURNS = {"turn", "happen", "seem"}
_ASSERTING = frozenset("because whereas although though since while cause 'cause as".split())
_HUNCHES = frozenset("hunch feeling sense impression idea belief suspicion guess bet theory".split())
_CONDITIONS = frozenset("if unless until when whenever once than whether as".split())
_ADJUNCTS = frozenset(
    (
        "in at during after before since for with over by across through on among within including because due "
        "despite around throughout under via"
    ).split()
)
_SAYS_NOTHING = frozenset(
    (
        "actually basically really just so then now also obviously honestly literally definitely certainly anyway "
        "again frankly essentially simply clearly absolutely totally kinda kind sort like however therefore "
        "thus hence indeed fundamentally"
    ).split()
)
_EMPTY_SUBJECTS = frozenset(
    (
        "it that this these those they he she which who what one some both all everything something someone there "
        "themselves itself himself herself"
    ).split()
)
_POINTING = frozenset("it its that this these those they them their he him his she her".split())
_NONE = frozenset("never hardly no nobody nothing none neither few only".split())
_PERSONS = {"i", "we", "you"}
_TELLING = frozenset(
    "PERSON ORG GPE PRODUCT MONEY PERCENT CARDINAL QUANTITY DATE NORP LAW EVENT WORK_OF_ART FAC LOC".split()
)
_NUMBERS = {"MONEY", "PERCENT", "QUANTITY", "CARDINAL"}
_HEDGES = {"maybe", "perhaps", "possibly", "probably"}
_FILLERS = {"actually", "basically", "literally"}
_VAGUE = _FRAME_NOUNS | frozenset(
    (
        "stuff lot sort people person folk guy something everything anything nothing someone everyone opposite vibe "
        "nuance place time moment today year day question other"
    ).split()
)
_CLAUSES = {"ROOT", "ccomp", "conj", "advcl", "acl"}
_THINGS = {"nsubj", "dobj", "pobj", "attr"}
_OBJECTS = {"dobj", "pobj", "pcomp", "attr", "acomp", "ccomp", "xcomp", "oprd"}
_PAUSES = frozenset(", - – — --".split())
_FALSE_STARTS = frozenset("- – — -- ... …".split())
_QUOTES = frozenset('" “ ”'.split())
_NUMERAL = re.compile(r"([.:;]?)(?:^|\s+)(\d{1,2})\.(?=\s+[A-Z]|$)")


def headline(passage: str) -> str:
    """At most fourteen words of the passage that stand as a statement, in their order, without a full stop.

    Where no clause that tells much is short enough, the words that one begins with, with an ellipsis where they break
    off; where the passage holds no clause, the words that a sentence of it begins with.
    """
    doc = grammar()(_unnumbered(readable(passage)))
    weights = _weights(doc)
    found = []
    for cut, verb in {cut: verb for sentence in doc.sents for verb, cut in _cuts(sentence)}.items():
        whole = _size(doc, cut) <= LONGEST
        kept = cut if whole else _beginning(verb, cut)
        if _size(doc, kept) >= SHORTEST and _stands(verb, kept):
            found.append((_value(verb, kept, weights) - (0.0 if whole else BROKEN_OFF), whole, kept))
    value, whole, kept = max(found, default=(LEAST, False, ()))
    if value <= LEAST:
        states, tells, opening, complete = _opening(doc)
        if not found or (states and tells > sum(_tells(doc[i]) for i in kept)):
            whole, kept = complete, opening
    return _written(doc, kept) + ("" if whole else "…")


def _unnumbered(text: str) -> str:
    """A list that is read out without its numerals: none belongs to the words before it."""
    numbers = [int(found[2]) for found in _NUMERAL.finditer(text)]
    if numbers[:2] == [1, 2] and all(b == a + 1 for a, b in itertools.pairwise(numbers)):
        return _NUMERAL.sub(lambda found: found[1] or ".", text).strip(". ") + "."
    return text


def _cuts(sentence: "Span") -> Iterator[tuple["Token", tuple[int, ...]]]:
    """Every clause of a sentence that could stand alone, as its verb and the places of its words, whole and
    shortened."""
    if sentence.text.rstrip("\"'”’ ").endswith("?"):
        return
    for verb in sentence:
        if verb.dep_ in _CLAUSES and finite(verb) and subject_of(verb) and _free(verb):
            kept = _clause(verb)
            yield verb, tuple(sorted(kept))
            yield from ((verb, tuple(shorter)) for shorter in _shortened(verb, kept))


def _free(verb: "Token") -> bool:
    """Whether taking the clause out of its sentence leaves its meaning as it was."""
    marks = {child.lower_ for child in verb.children if child.dep_ in ("mark", "advmod") and child.i < verb.i}
    if marks & _CONDITIONS or any(child.tag_ in ("WP", "WRB", "WDT") for child in verb.children):
        return False
    if any(_conditional(child, verb) for child in verb.lefts if child.dep_ in ("parataxis", "ccomp")):
        return False
    if verb.dep_ == "ROOT":
        return True
    matrix = verb.head
    if verb.dep_ == "conj":
        joined = matrix.pos_ in ("VERB", "AUX") and subject_of(verb, own=True) is not None
        return joined and not _conditional(matrix, matrix) and _free(matrix)
    if verb.dep_ == "ccomp" and verb.i < matrix.i and _has_object(matrix):
        marked = any(child.dep_ == "mark" for child in verb.lefts)
        return not marked and not _conditional(matrix, matrix) and _free(matrix)
    if verb.dep_ == "advcl":
        return bool(marks & _ASSERTING) and _free(matrix)
    if verb.dep_ == "acl":
        return "that" in marks and matrix.lemma_ in _HUNCHES and _free(matrix.head)
    if marks - {"that"} and any(child.dep_ == "mark" and child.lower_ != "that" for child in verb.children):
        return False
    if matrix.pos_ not in ("VERB", "AUX") or _negated(matrix) or not _free(matrix):
        return False
    said = ("'d", "’d", "would", "can", "will") if matrix.lemma_ in _OWN_VERBS else ()
    if any(child.dep_ == "aux" and child.tag_ == "MD" and child.lower_ not in said for child in matrix.children):
        return False
    if _conditional(verb, matrix):
        return False
    subject = subject_of(matrix)
    if matrix.lemma_ in _OWN_VERBS:
        return _held_now(matrix) and subject_of(verb, own=True) is not None
    if matrix.lemma_ == "be":
        return subject is not None and (subject.lemma_.lower() in _FRAME_NOUNS or subject.tag_ in ("WP", "VBG", "VB"))
    return matrix.lemma_ in _TURNS and subject is not None and subject.lower_ == "it"


def _has_object(verb: "Token") -> bool:
    """Whether a verb has a noun or an adjective for its object, so that a clause before it is none of it."""
    return any(child.dep_ in ("dobj", "attr", "acomp") for child in verb.children)


def _conditional(word: "Token", verb: "Token") -> bool:
    """Whether a condition of a verb comes before a word, and so governs what begins there too."""
    return any(_is_condition(child) and child.i < word.i for child in verb.lefts)


def _is_condition(clause: "Token") -> bool:
    return clause.dep_ == "advcl" and any(word.lower_ in _CONDITIONS - {"as"} for word in clause.children)


def _held_now(verb: "Token") -> bool:
    """Whether "I think", "we found", "you see" say that what follows holds; "I thought" and "you'd think" do not."""
    subject = subject_of(verb)
    person = subject.lower_ if subject is not None else ""
    if person == "you":
        return verb.lemma_ in ("see", "know", "find", "notice") and verb.tag_ in ("VBP", "VB")
    return person in _PERSONS and not (verb.lemma_ in _BELIEVING and verb.tag_ == "VBD")


def _clause(verb: "Token") -> set[int]:
    """The places of the words of a clause without what leads into it and without the clauses beside it."""
    kept = {token.i for token in verb.subtree}
    for child in verb.children:
        beside = child.dep_ == "conj" and subject_of(child, own=True) is not None
        if beside or child.dep_ in ("intj", "discourse", "preconj"):
            kept -= {token.i for token in child.subtree}
        elif child.dep_ == "mark" and all(verb.doc[i].dep_ == "advmod" for i in kept if i < child.i):
            kept = {i for i in kept if i > child.i}
        elif child.dep_ == "cc":
            joined = next((c for c in verb.children if c.dep_ == "conj" and c.i > child.i), None)
            if joined is None or subject_of(joined, own=True) is not None:
                kept.discard(child.i)
        elif child.dep_ in ("parataxis", "ccomp") and child.i < verb.i:
            kept = {i for i in kept if i > child.right_edge.i}
        elif _idle(child) and (child.i < verb.i or verb.pos_ == "AUX") and not _negated(verb):
            kept.discard(child.i)
    fillers = (word for word in verb.subtree if word.dep_ == "intj" or word.lower_ in _FILLERS)
    kept = kept - {word.i for word in fillers if not any(word.children)}
    first = min(kept, default=0)
    if first and verb.doc[first - 1].lower_ in _HEDGES:
        kept.add(first - 1)
    subject = subject_of(verb.head)
    if verb.dep_ == "conj" and subject_of(verb, own=True) is None and subject is not None:
        kept |= {token.i for token in subject.subtree}
    return _trimmed(verb.doc, kept)


def _shortened(verb: "Token", kept: set[int]) -> Iterator[list[int]]:
    """The clause with one part after the other left out, the last first, down to its core."""
    doc = verb.doc
    while True:
        parts = [part for token in doc if token.i in kept and (part := _removable(token, kept, verb))]
        if not parts:
            return
        # What stands last and is smallest goes first.
        part = max(parts, key=lambda words: (max(words), -len(words)))
        kept = _trimmed(doc, kept - part)
        yield sorted(kept)


def _removable(token: "Token", kept: Set[int], verb: "Token") -> set[int]:
    """The words that go with this one where it can go, else none."""
    words = {word.i for word in token.subtree} & kept
    if not words or verb.i in words or token.head.i not in kept or any(word.dep_ == "neg" for word in token.subtree):
        return set()
    if any(map(_is_condition, token.ancestors)):
        return set()
    before = token.doc[min(words) - 1] if min(words) else token
    parted = before.text in _PAUSES
    if token.dep_ in ("relcl", "appos"):
        return words if parted else set()
    if _negated(token.head) and not parted:
        return set()
    verbal = token.pos_ in ("VERB", "AUX")
    if token.dep_ == "advcl":
        conditional = _is_condition(token) or token.doc[min(words)].lower_ in _CONDITIONS
        purpose = any(child.tag_ == "TO" for child in token.children)
        led = parted or any(child.dep_ == "mark" for child in token.children)
        return words if verbal and led and not conditional and not purpose else set()
    if token.dep_ == "conj":
        joints = {child.i for word in (token, token.head) for child in word.children if child.dep_ == "cc"} & kept
        either = any(token.doc[i].lower_ in ("or", "nor") for i in joints)
        return words | {i for i in joints if i < token.i} if verbal and token.i > verb.i and not either else set()
    if token.dep_ == "prep" and token.lower_ in _ADJUNCTS and token.head.pos_ in ("VERB", "AUX"):
        has_more = any(
            c.dep_ in ("dobj", "attr", "acomp", "oprd", "ccomp", "xcomp") and c.i in kept for c in token.head.children
        )
        ends = max(words) == max(kept) or max(words) < token.head.i
        return words if has_more and ends else set()
    return words if parted and token.dep_ == "npadvmod" and max(words) == max(kept) else set()


def _trimmed(doc: "Doc", kept: set[int]) -> set[int]:
    """Without the marks, joints and empty words that are left at either end, or doubled inside."""
    places = sorted(kept)
    while places and (
        (doc[places[0]].is_punct and doc[places[0]].text not in '"“‘$#')
        or doc[places[0]].dep_ == "cc"
        or _idle(doc[places[0]])
    ):
        places.pop(0)
    while places and (
        (doc[places[-1]].is_punct and doc[places[-1]].text not in '"”’%)')
        or doc[places[-1]].dep_ == "cc"
        or (doc[places[-1]].lower_ in ("though", "right", "too", "so", "because", "like", "also", "then"))
    ):
        places.pop()
    # A pause beside a gap parts nothing any more.
    pauses = [
        p
        for before, p, after in zip(places, places[1:], places[2:], strict=False)
        if doc[p].text in _PAUSES and (after > p + 2 or before < p - 1 or doc[after].is_punct)
    ]
    return set(places) - set(pauses)


def _idle(word: "Token") -> bool:
    """Whether a word leads into a statement and says nothing; "so" in "so far" and "too" in "too many" do."""
    if word.lower_ not in _SAYS_NOTHING or any(word.children):
        return False
    return word.dep_ in ("intj", "mark") or (
        word.dep_ in ("advmod", "prep") and word.head.pos_ in ("VERB", "AUX", "NOUN", "PROPN")
    )


def _value(verb: "Token", cut: Sequence[int], weights: dict[str, float]) -> float:
    """How much a cut tells: by what it is about, what is said of that, and how much of the passage that is."""
    doc, kept = verb.doc, frozenset(cut)
    words = [doc[i] for i in cut if not doc[i].is_punct]
    told = _told(verb, kept)
    subject = subject_of(told) or told
    about = [t for t in subject.subtree if t.i in kept]
    value = -0.8 * (told != verb)
    if subject.lower_ in _EMPTY_SUBJECTS and len(about) == 1:
        value -= 1.0 if subject.lower_ == "there" else 2.2
    elif subject.lower_ in _PERSONS:
        value += {"i": -2.2 if told.tag_ == "VBD" else -1.6, "we": 0.2, "you": 0.3}[subject.lower_]
    elif any(map(_names, about)):
        value += 1.6 + 0.3 * (subject.pos_ == "PROPN") - 1.6 * any(t.lower_ in _POINTING for t in about)
    said = [t for t in words if _tells(t) and t not in about]
    if not any(map(_names, said)):
        value -= 1.0 if said and any(map(_names, about)) else 3.0
    entities = (e for e in doc.ents if e.label_ in _TELLING and e.text.lower() != "one")
    named = [e.label_ for e in entities if all(t.i in kept or t.is_punct for t in e)]
    numbers = sum(label in _NUMBERS for label in named)
    value += 0.35 * min(3, len(named) - numbers) + 0.5 * min(2, numbers)
    value += 4.5 * sum(weights.get(lemma, 0.0) for lemma in {t.lemma_.lower() for t in words if _tells(t)})
    value += 0.12 * min(len(words), 11) + 0.25 * (verb.dep_ in ("ROOT", "ccomp"))
    value -= 0.5 * any(t.lower_ in _POINTING and t.dep_ in _THINGS and t != subject for t in words)
    value -= 0.6 * any(t.lower_ == "i" and t != subject for t in words)
    value -= 0.05 * sum(b != a + 1 for a, b in itertools.pairwise(cut))
    value -= 1.5 * any(doc[i].text in _FALSE_STARTS and doc[i].tag_ != "HYPH" for i in range(cut[0], cut[-1]))
    return value - 2.5 * (not _quoted(doc).isdisjoint(cut))


def _tells(word: "Token") -> bool:
    """Whether a word carries matter."""
    matter = word.pos_ in ("NOUN", "PROPN", "VERB", "ADJ", "NUM")
    return matter and not word.is_stop and word.lemma_.lower() not in _VAGUE


def _names(word: "Token") -> bool:
    """Whether a word says which thing, who or how much."""
    return word.pos_ in ("NOUN", "PROPN", "NUM") and _tells(word)


def _told(verb: "Token", kept: Set[int]) -> "Token":
    """The verb of what is said, behind "I think that" and "the reason I ask is that"."""
    said = next((c for c in verb.children if c.dep_ == "ccomp" and c.i in kept and subject_of(c, own=True)), None)
    subject = subject_of(verb)
    frames = verb.lemma_ in _OWN_VERBS or (verb.lemma_ == "be" and subject is not None and not _names(subject))
    return _told(said, kept) if said is not None and frames else verb


def _quoted(doc: "Doc") -> set[int]:
    """The places of the words between quotation marks, also where one of the pair lies outside the passage."""
    marks = [(t.i, t.i == 0 or bool(doc[t.i - 1].whitespace_)) for t in doc if t.text in _QUOTES]
    places: set[int] = set()
    for (start, opens), (end, opens_again) in itertools.pairwise([(-1, True), *marks, (len(doc), False)]):
        if opens and not opens_again and (start, end) != (-1, len(doc)):
            places |= set(range(start + 1, end))
    return places


def _stands(verb: "Token", cut: Sequence[int]) -> bool:
    """Whether a cut is a statement by itself: it says something of something, and begins and ends where its grammar
    does."""
    doc, kept, subject = verb.doc, frozenset(cut), subject_of(verb)
    first, last = doc[cut[0]], doc[cut[-1]]
    if subject is None or not {verb.i, subject.i} <= kept:
        return False
    if first.lower_ == "that" and first.dep_ not in ("nsubj", "nsubjpass", "det"):
        return False
    if not _may_end(last):
        return False
    words = [doc[i] for i in cut if not doc[i].is_punct]
    leans = any(t.head.i not in kept for t in words if t not in (verb, subject) and t.lower_ not in _HEDGES)
    return not leans and all(_has_all(word, kept) for word in words)


def _has_all(word: "Token", kept: Set[int]) -> bool:
    """Whether what a word asks for after it is there: the objects of a verb, the noun of a preposition."""
    return all(child.i in kept for child in word.rights if child.dep_ in _OBJECTS)


def _weights(doc: "Doc") -> dict[str, float]:
    """What share of the passage's matter each content word carries."""
    counts = Counter(
        t.lemma_.lower() for t in doc if t.pos_ in ("NOUN", "PROPN", "VERB", "ADJ", "NUM") and not t.is_stop
    )
    total = sum(1 + math.log(n) for n in counts.values()) or 1.0
    return {lemma: (1 + math.log(n)) / total for lemma, n in counts.items()}


def _written(doc: "Doc", cut: tuple[int, ...]) -> str:
    """The words of a cut, with the spaces they had."""
    parts = []
    for n, i in enumerate(cut):
        parts.append(doc[i].text)
        opens = doc[i].text in _QUOTES and (i == 0 or doc[i - 1].whitespace_)
        if doc[i].whitespace_ or (cut[n + 1 : n + 2] != (i + 1,) and not opens):
            parts.append(" ")
    text = "".join(parts)
    for left, right in (("“", "”"), ("(", ")"), ("[", "]")):
        if text.count(left) != text.count(right):
            text = text.replace(left, "").replace(right, "")
    if text.count('"') % 2:
        text = text.replace('"', "")
    text = re.sub(r"[.!]+([\"”’]?)$", r"\1", text.strip(" ,;:–—-"))
    return capital(re.sub(r"\s+([,.;:!?%’])", r"\1", " ".join(text.split())))


def _size(doc: "Doc", cut: tuple[int, ...]) -> int:
    return len(_written(doc, cut).split())


def _beginning(verb: "Token", cut: tuple[int, ...]) -> tuple[int, ...]:
    """The first words of a cut that is too long, up to where a part of it ends; none where that says nothing yet, or
    where a part of a condition would go."""
    doc = verb.doc
    for n in range(len(cut) - 1, 0, -1):
        if any(map(_is_condition, doc[cut[n]].ancestors)):
            return ()
        if _parts(doc[cut[n]]) and _size(doc, cut[:n]) <= LONGEST and _stands(verb, cut[:n]):
            return cut[:n]
    return ()


def _opening(doc: "Doc") -> tuple[bool, int, tuple[int, ...], bool]:
    """The words that a sentence begins with, up to where a part of it ends, of the sentence where these tell most:
    whether they state something, how much they tell, their places, and whether they are the whole sentence."""
    openings: list[tuple[bool, int, tuple[int, ...], bool]] = []
    for sentence in doc.sents:
        ends = [n for n in range(1, len(sentence)) if _parts(sentence[n])] + [len(sentence)]
        cuts = [tuple(sorted(_trimmed(doc, set(range(sentence.start, sentence.start + n))))) for n in ends]
        fits = [c for c in cuts if SHORTEST <= _size(doc, c) <= LONGEST and _may_end(doc[c[-1]]) and _led(doc, c)]
        kept = fits[-1] if fits else cuts[-1][:LONGEST]
        asks = sentence.text.endswith("?") or sentence[0].tag_ in ("WDT", "WP", "WRB")
        states = (
            bool(fits)
            and not asks
            and _quoted(doc).isdisjoint(kept)
            and any(_main(doc[i], frozenset(kept)) for i in kept)
        )
        openings.append((states, 0 if asks else sum(_tells(doc[i]) for i in kept), kept, kept == cuts[-1]))
    return max(openings, key=lambda opening: opening[:2], default=(False, 0, (), True))


def _main(verb: "Token", kept: Set[int]) -> bool:
    """Whether a verb is that of a main clause, and what it is said of is there."""
    main = verb.dep_ == "ROOT" or (verb.dep_ in ("ccomp", "conj") and verb.i < verb.sent.root.i)
    subject = subject_of(verb) if main and finite(verb) else None
    return subject is not None and subject.i in kept and not any(map(_is_condition, verb.ancestors))


def _led(doc: "Doc", cut: Sequence[int]) -> bool:
    """Whether the last word of a cut belongs to what is in it, and has all that it asks for."""
    last = doc[cut[-1]]
    return last.head.i <= cut[-1] and _has_all(last, frozenset(cut))


def _may_end(last: "Token") -> bool:
    """Whether a statement can end on a word: "and" joins nothing there and "compared" compares nothing, "I'm" says
    nothing, and "way, way" is one."""
    if last.dep_ == "cc" or last.lower_ == "compared" or (last.lemma_ == "be" and last.dep_ in ("ROOT", "conj")):
        return False
    return last.lower_ not in [word.lower_ for word in last.doc[last.i + 2 : last.i + 3]]


def _parts(token: "Token") -> bool:
    """Whether something new begins with a word."""
    begins = token.dep_ in ("prep", "mark", "cc") and token.lower_ != "of"
    adds = any(
        a.left_edge.i == token.i and a.dep_ in ("npadvmod", "advmod", "advcl") for a in (token, *token.ancestors)
    )
    return token.is_punct or begins or adds or token.tag_ in ("WDT", "WP", "WRB", "TO")


def _negated(verb: "Token") -> bool:
    """Whether a verb is denied, or said of none or of few, so that it does not hold of more than it is said of."""
    return any(
        child.dep_ == "neg" or not _NONE.isdisjoint(word.lower_ for word in (child, *child.children))
        for child in verb.children
    )
