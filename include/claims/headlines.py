"""Headlines: the one clause of a spoken passage that says most, cut out of it faithfully.

A headline is made by leaving out, never by adding or reordering: a finite clause with its own subject is taken from
the passage by its grammar, and what can go without changing what is claimed goes until fourteen words are left. A
condition, a negation or a comparison never goes, nor does "I don't think" or "they say" in front of what is thought.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from include.claims.grammar import finite, grammar, subject_of
from include.claims.wording import capital, readable

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

LONGEST = 14
SHORTEST = 4

_OWN_VERBS = frozenset(
    (
        "think believe feel find say know see guess mean notice realize learn hear love like add argue suppose figure "
        "discover"
    ).split()
)
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
        "in at during after before since for with over by across through on from among within including because due "
        "despite around throughout under via"
    ).split()
)
_SAYS_NOTHING = frozenset(
    (
        "actually basically really just so then now well also obviously honestly literally definitely certainly anyway "
        "again frankly essentially simply right clearly absolutely totally too kinda kind sort like however therefore "
        "thus hence indeed fundamentally"
    ).split()
)
_EMPTY_SUBJECTS = frozenset(
    (
        "it that this these those they he she which who what one some both all everything something someone there "
        "themselves itself himself herself"
    ).split()
)
_PERSONS = {"i", "we", "you"}
_TELLING = frozenset(
    "PERSON ORG GPE PRODUCT MONEY PERCENT CARDINAL QUANTITY DATE NORP LAW EVENT WORK_OF_ART FAC LOC".split()
)
_NUMBERS = {"MONEY", "PERCENT", "QUANTITY", "CARDINAL"}
_VAGUE = frozenset("thing stuff lot way kind sort bit people guy something everything".split())


def headline(passage: str) -> str:
    """At most fourteen words of the passage that stand as a statement, in their order, without a full stop.

    Where the passage holds no such clause, its opening words, with an ellipsis where they break off.
    """
    text = readable(passage)
    doc = grammar()(text)
    weights = _weights(doc)
    cuts = {tuple(cut) for sentence in doc.sents for cut in _cuts(sentence)}
    best = max(cuts, key=lambda cut: (_value(doc, cut, weights), cut), default=tuple(range(len(doc))))
    return _written(doc, best) if SHORTEST <= _size(doc, best) <= LONGEST else _broken_off(doc, best)


def _cuts(sentence) -> Iterator[list[int]]:
    """Every clause of a sentence that could stand alone, as the places of its words, whole and shortened."""
    if sentence.text.rstrip("\"'”’ ").endswith("?"):
        return
    for verb in sentence:
        if verb.dep_ in ("ROOT", "ccomp", "conj", "advcl", "acl") and finite(verb) and subject_of(verb) and _free(verb):
            kept = _clause(verb)
            yield sorted(kept)
            yield from _shortened(verb, kept)


def _free(verb: "Token") -> bool:
    """Whether taking the clause out of its sentence leaves its meaning as it was."""
    marks = {child.lower_ for child in verb.children if child.dep_ in ("mark", "advmod") and child.i < verb.i}
    if marks & _CONDITIONS or any(child.tag_ in ("WP", "WRB", "WDT") for child in verb.children):
        return False
    if verb.dep_ == "ROOT":
        return True
    if verb.dep_ == "conj":
        return verb.head.pos_ in ("VERB", "AUX") and subject_of(verb, own=True) is not None and _free(verb.head)
    matrix = verb.head
    if verb.dep_ == "advcl":
        return bool(marks & _ASSERTING) and _free(matrix)
    if verb.dep_ == "acl":
        return "that" in marks and matrix.lemma_ in _HUNCHES and _free(matrix.head)
    if marks - {"that"} and any(child.dep_ == "mark" and child.lower_ != "that" for child in verb.children):
        return False
    if matrix.pos_ not in ("VERB", "AUX") or _negated(matrix) or not _free(matrix):
        return False
    if any(
        child.dep_ == "aux" and child.tag_ == "MD" and child.lower_ not in ("'d", "’d", "would", "can", "will")
        for child in matrix.children
    ):
        return False
    subject = subject_of(matrix)
    if matrix.lemma_ in _OWN_VERBS:
        return subject is not None and subject.lower_ in ("i", "we", "you") and subject_of(verb, own=True) is not None
    if matrix.lemma_ == "be":
        return subject is not None and (subject.lemma_.lower() in _FRAME_NOUNS or subject.tag_ in ("WP", "VBG", "VB"))
    return matrix.lemma_ in _TURNS and subject is not None and subject.lower_ == "it"


def _clause(verb: "Token") -> set[int]:
    """The places of the words of a clause without what leads into it and without the clauses beside it."""
    kept = {token.i for token in verb.subtree}
    for child in verb.children:
        beside = child.dep_ == "conj" and subject_of(child, own=True) is not None
        leads_in = child.dep_ == "mark" and child.i == min(kept, default=-1)
        if beside or leads_in or child.dep_ in ("intj", "discourse", "preconj"):
            kept -= {token.i for token in child.subtree}
        elif child.dep_ == "cc":
            joined = next((c for c in verb.children if c.dep_ == "conj" and c.i > child.i), None)
            if joined is None or subject_of(joined, own=True) is not None:
                kept.discard(child.i)
        elif child.dep_ in ("parataxis", "ccomp") and child.i < verb.i:
            kept -= {token.i for token in child.subtree}
        elif child.dep_ == "advmod" and child.lower_ in _SAYS_NOTHING and not list(child.children):
            kept.discard(child.i)
    for token in verb.doc:
        if token.i in kept and (
            token.dep_ == "intj" or (token.lower_ in ("actually", "basically", "literally") and token.dep_ == "advmod")
        ):
            kept -= {word.i for word in token.subtree}
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


def _removable(token: "Token", kept: set[int], verb: "Token") -> set[int]:
    """The words that go with this one where it can go, else none."""
    words = {word.i for word in token.subtree} & kept
    if not words or verb.i in words or token.head.i not in kept:
        return set()
    first = token.doc[min(words)].lower_
    if any(word.dep_ == "neg" for word in token.subtree):
        return set()
    if token.dep_ == "relcl":
        comma = min(words) > 0 and token.doc[min(words) - 1].text in (",", "-", "–", "—", "--")
        return words if comma else set()
    if token.dep_ == "appos":
        return words
    if token.dep_ == "advcl":
        marks = {child.lower_ for child in token.children if child.dep_ in ("mark", "advmod")}
        infinitive = any(child.tag_ == "TO" for child in token.children)
        return set() if infinitive or marks & _CONDITIONS or first in _CONDITIONS else words
    if token.dep_ == "conj" and token.pos_ in ("VERB", "AUX") and token.head.i == verb.i:
        joined = {child.i for child in token.head.children if child.dep_ == "cc"}
        return words | (joined & kept)
    if token.dep_ == "prep" and token.lower_ == "compared":
        return words
    if token.dep_ == "prep" and token.lower_ in _ADJUNCTS and token.head.pos_ in ("VERB", "AUX"):
        has_more = any(
            c.dep_ in ("dobj", "attr", "acomp", "oprd", "ccomp", "xcomp") and c.i in kept for c in token.head.children
        )
        return words if has_more or token.head.dep_ == "nsubjpass" else set()
    if token.dep_ in ("npadvmod", "advmod") and token.head.i == verb.i and token.lower_ in _SAYS_NOTHING:
        return words
    return set()


def _trimmed(doc: "Doc", kept: set[int]) -> set[int]:
    """Without the marks, joints and empty words that are left at either end, or doubled inside."""
    places = sorted(kept)
    while places and (
        (doc[places[0]].is_punct and doc[places[0]].text not in '"“‘$#')
        or doc[places[0]].dep_ == "cc"
        or (doc[places[0]].lower_ in _SAYS_NOTHING and doc[places[0]].dep_ in ("advmod", "intj", "mark"))
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
        if doc[p].text in (",", "-", "–", "—", "--") and (after > p + 1 or before < p - 1 or doc[after].is_punct)
    ]
    return set(places) - set(pauses)


def _value(doc: "Doc", cut: Sequence[int], weights: dict[str, float]) -> float:
    """How well a cut would stand as a headline."""
    words = [doc[i] for i in cut if not doc[i].is_punct]
    written = _size(doc, cut)
    if written < SHORTEST:
        return -9.0
    verb = next((t for t in words if t.dep_ == "ROOT" or t.head.i not in cut), words[0])
    verbs = _statements(doc, cut)
    subject = subject_of(verbs[0]) if verbs else None
    value = 0.0
    hangs = words[0].tag_ in ("VBG", "WDT") or (words[0].lower_ == "that" and words[0].dep_ != "nsubj")
    if subject is None or (hangs and words[0].dep_ not in ("csubj", "nsubj", "compound", "amod", "det")):
        return -9.0
    chunk = [t for t in subject.subtree if t.i in cut]
    if subject.lower_ in _EMPTY_SUBJECTS and len(chunk) == 1:
        value -= 1.0 if subject.lower_ == "there" else 2.2
    elif subject.lower_ in _PERSONS:
        value += {"i": -1.0, "we": 0.2, "you": 0.3}[subject.lower_]
    else:
        value += 1.6 + 0.3 * (subject.pos_ == "PROPN")
        value -= 0.8 * (subject.lemma_.lower() in _VAGUE) + 0.8 * any(
            t.lower_ in ("this", "that", "these", "those", "it", "its", "his", "her", "their", "they") for t in chunk
        )
    entities = [e for e in doc.ents if e.label_ in _TELLING and all(t.i in cut or t.is_punct for t in e)]
    value += 0.35 * min(3, sum(e.label_ not in _NUMBERS for e in entities)) + 0.5 * min(
        2, sum(e.label_ in _NUMBERS for e in entities)
    )
    content = {t.lemma_.lower() for t in words if t.pos_ in ("NOUN", "PROPN", "VERB", "ADJ", "NUM") and not t.is_stop}
    value += 4.5 * sum(weights.get(lemma, 0.0) for lemma in content)
    value -= 0.5 * any(
        t.lower_ in ("it", "that", "this", "they", "them", "these", "those", "he", "she", "him", "her")
        and t.dep_ in ("dobj", "pobj", "attr", "nsubj")
        and t is not subject
        for t in words
    )
    value -= 0.6 * any(t.dep_ == "nsubj" and t.lower_ == "i" for t in words)
    value += 0.16 * min(written, 11) - (1.5 + 0.05 * written if written > LONGEST else 0.0)
    value -= 0.05 * sum(1 for a, b in itertools.pairwise(cut) if b != a + 1)
    value += 0.25 * (verb.dep_ in ("ROOT", "ccomp"))
    value -= 1.0 * (not _complete(doc, cut, verbs[-1]))
    return value


def _statements(doc: "Doc", cut: Sequence[int]) -> list["Token"]:
    """The finite verbs of a cut whose subject is in it too."""
    verbs = [doc[i] for i in cut if finite(doc[i])]
    return [verb for verb in verbs if (subject := subject_of(verb)) is not None and subject.i in cut]


def _complete(doc: "Doc", cut: Sequence[int], verb: "Token") -> bool:
    """Whether the clause ends where its grammar ends: not on a word that asks for more."""
    last = doc[cut[-1]]
    if last.tag_ in ("IN", "DT", "TO", "CC", "PRP$", "WDT", "WP", "MD", "POS") or last.dep_ in (
        "prep",
        "mark",
        "aux",
        "det",
    ):
        return False
    if verb.lemma_ == "be" and last.i == verb.i:
        return False
    return not any(
        child.dep_ in ("dobj", "attr", "acomp", "ccomp", "xcomp") and child.i not in cut for child in verb.children
    )


def _weights(doc: "Doc") -> dict[str, float]:
    """What share of the passage's matter each content word carries."""
    counts = Counter(
        t.lemma_.lower() for t in doc if t.pos_ in ("NOUN", "PROPN", "VERB", "ADJ", "NUM") and not t.is_stop
    )
    total = sum(1 + math.log(n) for n in counts.values()) or 1.0
    return {lemma: (1 + math.log(n)) / total for lemma, n in counts.items()}


def _written(doc: "Doc", cut: Sequence[int]) -> str:
    """The words of a cut, with the spaces they had."""
    parts = []
    for n, i in enumerate(cut):
        parts.append(doc[i].text)
        adjacent = n + 1 < len(cut) and cut[n + 1] == i + 1
        if n + 1 < len(cut) and (doc[i].whitespace_ or (not adjacent and not doc[cut[n + 1]].is_punct)):
            parts.append(" ")
    text = "".join(parts)
    for left, right in (("“", "”"), ("(", ")"), ("[", "]")):
        if text.count(left) != text.count(right):
            text = text.replace(left, "").replace(right, "")
    if text.count('"') % 2:
        text = text.replace('"', "")
    text = re.sub(r"[.!]([\"”’]?)$", r"\1", text.strip(" ,;:–—-"))
    return capital(re.sub(r"\s+([,.;:!?%’])", r"\1", " ".join(text.split())))


def _size(doc: "Doc", cut: Sequence[int]) -> int:
    return len(_written(doc, cut).split())


def _broken_off(doc: "Doc", cut: Sequence[int]) -> str:
    """The first words of a cut that is too long, up to where a part of it ends, with an ellipsis."""
    ends = [
        n
        for n in range(SHORTEST, len(cut))
        if _size(doc, cut[:n]) < LONGEST
        and _parts(doc[cut[n]])
        and _complete(doc, cut[:n], doc[cut[n - 1]])
        and _statements(doc, cut[:n])
    ]
    end = ends[-1] if ends else next((n for n in range(len(cut), 0, -1) if _size(doc, cut[:n]) <= LONGEST), 1)
    return _written(doc, cut[:end]) + ("…" if end < len(cut) else "")


def _parts(token: "Token") -> bool:
    """Whether something new begins with a word."""
    begins = token.dep_ in ("prep", "mark", "cc") and token.lower_ != "of"
    adds = any(
        a.left_edge.i == token.i and a.dep_ in ("npadvmod", "advmod", "advcl") for a in (token, *token.ancestors)
    )
    return token.is_punct or begins or adds or token.tag_ in ("WDT", "WP", "WRB", "TO")


def _negated(verb: "Token") -> bool:
    return any(child.dep_ == "neg" or child.lower_ in ("never", "hardly", "no") for child in verb.children)
