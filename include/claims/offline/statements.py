"""What a passage states: sentences of it, or main clauses of them, that can be read alone.

A statement is one run of words of the passage. It is freed of what leads into it and of what follows a comma and only
adds; a condition, a denial and a contrast stay with what they bear on, or nothing is stated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.claims.grammar import finite, subject_of
from include.claims.offline.things import VAGUE
from include.claims.offline.wording import capital
from include.models.meaning import rank
from include.words import words

if TYPE_CHECKING:
    from spacy.tokens import Doc, Span, Token

LONGEST = 22
SHORTEST = 5
MOST_LETTERS = 150
FOLLOWING = 12
"""Within how many words after a sentence a denial may deny it."""

_DENYING = frozenset("no not never nobody nothing wrong hardly only".split())
_ASSERTING = frozenset("think know believe say find see mean guess suppose remember notice".split())
"""What speakers say of themselves before what they state: "I think", "we know that"."""
_CONDITIONS = frozenset("if unless until once when".split())
_FACTIVE = frozenset("because since so while whereas although though".split())
_REPORTING = frozenset(
    "say find conclude show report argue note warn estimate announce write rule tell believe".split()
)
_ADDING = frozenset(
    "and so while whereas as since because which who whose when where after although though with".split()
)
"""What may begin words that only add to what was said before a comma."""
_OUTSIDE = frozenset("this that these those here former latter both either neither".split())
_ELSEWHERE = frozenset("another other others such same else ones then".split())
_LIKENED = frozenset("similar similarly also".split())
"""Words that liken what is stated to something said before."""
_LATER = frozenset("it its they their them themselves itself he him his himself she her hers herself".split())
SPEAKERS = frozenset("i me my mine we us our ours myself ourselves".split())
_LISTENERS = frozenset("you your yours yourself".split())
_MARKS = frozenset('" “ ” ? … ... - – — -- ( ) [ ]'.split())
_ATTACHED = frozenset("dobj attr acomp xcomp ccomp oprd prt dative agent neg pobj".split())
PLAIN = 4500
"""Up to which rank by frequency a word before a clause says nothing of its matter: "for instance"."""
_WHO = frozenset("PERSON ORG GPE PRODUCT NORP LAW EVENT WORK_OF_ART FAC LOC".split())


@dataclass(frozen=True, slots=True)
class Statement:
    """A clause of the passage. `alone` is whether it names what it speaks of; otherwise its topic must be said with
    it. `points` is whether a pronoun in it stands for something outside, `vague` whether it points at several things,
    or at "this" or "that". `tokens` are its words in order, `reporter`
    who is said to have said it, `meant` how like its meaning is to that of the passage."""

    text: str
    tokens: tuple["Token", ...]
    subject: "Token"
    alone: bool
    points: bool
    vague: bool
    reporter: "Token | None" = None
    meant: float = 0.0

    @property
    def size(self) -> int:
        return len(words(self.text))


def statements(doc: "Doc") -> Iterator[Statement]:
    """Every clause that states something, in order; of a sentence the whole where that is short enough, and its main
    clauses."""
    for sentence in doc.sents:
        tokens = [t for t in sentence if not t.is_space]
        if not tokens or not tokens[0].text[0].isupper() or tokens[-1].text not in (".", "!") or _denied(sentence):
            continue
        for verb in tokens:
            if subject_of(verb, own=True) is not None and finite(verb) and _asserted(verb):
                for last in _ends(verb, tokens[-1].i):
                    stated = _stated(verb, last)
                    if stated is not None:
                        yield stated


def _asserted(verb: "Token") -> bool:
    """Whether a clause is said to be so: a main clause, a reason, or what the speaker knows, what "is" or turns out, or
    what somebody named is reported to have said."""
    over, marks = verb.head, {child.lower_ for child in verb.children if child.dep_ == "mark"}
    if verb.dep_ == "ROOT":
        return not marks
    if not _asserted(over) or any(c.dep_ == "advcl" and c.left_edge.lower_ in _CONDITIONS for c in over.children):
        return False
    if verb.dep_ == "conj":
        return not marks & _CONDITIONS
    if any(c.dep_ == "neg" or c.tag_ == "MD" for c in over.children):
        return False
    if verb.dep_ == "advcl":
        aimed = "so" in marks and any(child.tag_ == "MD" for child in verb.children)
        return bool(marks) and marks <= _FACTIVE and verb.i > over.i and not aimed
    return (
        verb.dep_ == "ccomp"
        and verb.i > over.i
        and not marks - {"that"}
        and (_own(over) or _reporter(verb) is not None)
    )


def _own(verb: "Token") -> bool:
    """Whether a verb leads in what its speaker states: "I think", "the thing is", "it turns out"."""
    subject = subject_of(verb)
    if subject is None:
        return False
    own = subject.lower_ in ("i", "we") and verb.lemma_ in _ASSERTING
    return own or (verb.lemma_ == "be" and subject.pos_ == "NOUN") or (verb.lemma_ == "turn" and subject.lower_ == "it")


def _reporter(said: "Token") -> "Token | None":
    """Who is named to have said a clause."""
    verb = said.head
    if said.dep_ != "ccomp" or verb.lemma_ not in _REPORTING:
        return None
    subject = subject_of(verb)
    named = (
        subject is not None and subject.pos_ in ("NOUN", "PROPN") and any(t.ent_type_ in _WHO for t in subject.subtree)
    )
    return subject if named else None


def _ends(head: "Token", stop: int) -> Iterator[int]:
    """Where the clause of a verb may end: before the sentence's stop, or before a comma after which words only add."""
    doc = head.doc
    for i in range(head.i + 1, stop):
        token = doc[i]
        if token.text in (";", ":"):
            yield i
            return
        parted = token.text == "," and i + 1 < stop and (doc[i + 1].lower_ in _ADDING or doc[i + 1].tag_ == "VBG")
        if parted and not _listed(doc[i + 1], head) and not _limits(doc[i + 1 : min(i + 7, stop)]):
            yield i
        if token.lower_ in ("because", "whereas") and doc[i - 1].pos_ not in ("ADV", "AUX", "PUNCT", "CCONJ"):
            yield i
    yield stop


def _limits(rest: "Span") -> bool:
    """Whether words after a comma take back or bind what was said before it: "which is not so", "as long as"."""
    if rest[0].lower_ in ("and", "while", "whereas"):
        return False
    binds = rest[0].lower_ in ("assuming", "providing", "depending") or "long as" in rest.text or "as if" in rest.text
    return binds or any(t.lower_ in _DENYING or t.dep_ == "neg" for t in rest)


def _listed(word: "Token", head: "Token") -> bool:
    """Whether "and" joins things, not clauses."""
    if word.lower_ != "and":
        return False
    joined = next((c for c in word.head.children if c.dep_ == "conj" and c.i > word.i), None)
    return joined is None or subject_of(joined, own=True) is None


def _stated(head: "Token", last: int) -> Statement | None:
    """The clause of a verb up to the word `last`, None where it is not whole or points at what is not in it."""
    subject = subject_of(head, own=True)
    first = _start(head)
    tokens = [t for t in head.doc[first:last] if not t.is_space]
    while tokens and tokens[-1].is_punct and tokens[-1].text != "%":
        tokens.pop()
    if subject is None or not tokens or subject.i < first:
        return None
    misread = subject.tag_ in ("NN", "NNP") and head.tag_ == "VBP" and not subject.conjuncts
    misread = misread or any(c.dep_ in ("ccomp", "parataxis") and c.i < subject.i for c in head.children)
    asks = tokens[0].tag_ in ("WP", "WRB", "WDT", "WP$") or tokens[0].lower_ == "that" or subject.dep_ == "csubj"
    vague = any(
        (t.lower_ in _OUTSIDE and t.tag_ not in ("WDT", "IN"))
        or (t.lower_ in _ELSEWHERE and t.head != head and t.i <= subject.i)
        or t.lower_ in _LIKENED
        for t in tokens
    )
    unnamed = sum(t.lower_ in _LATER and t.tag_ == "PRP" and _reaches_out(t, subject, head) for t in tokens)
    cut = any(c.dep_ in _ATTACHED and c.i >= last for c in head.children)
    vague = vague or unnamed > 1 or tokens[-1].lower_ in ("well", "too")
    if cut or misread or asks or any(t.text in _MARKS or t.pos_ == "INTJ" for t in tokens):
        return None
    text = capital("".join(t.text_with_ws for t in tokens).strip(" ,;:"))
    if not SHORTEST <= len(words(text)) <= LONGEST or len(text) > MOST_LETTERS:
        return None
    alone = not vague and _alone(tokens, subject, head)
    return Statement(text, tuple(tokens), subject, alone, vague or unnamed > 0, vague, _reporter(head))


def _start(head: "Token") -> int:
    """Where a clause begins: at what stands before its subject, without what only leads in."""
    first = head.left_edge.i
    doc = head.doc
    while first < head.i and _leads_in(doc[first], head):
        first = doc[first].right_edge.i + 1 if doc[first].dep_ == "prep" else first + 1
    return first


def _leads_in(token: "Token", head: "Token") -> bool:
    """Whether a word before a clause says nothing of its matter: "And", "so", "in fact"."""
    if token.pos_ in ("INTJ", "PUNCT", "SPACE") or token.dep_ == "cc":
        return True
    if token.head != head or token.lower_ in _DENYING:
        return False
    if token.pos_ == "PROPN" and token.dep_ not in ("nsubj", "nsubjpass") and token.nbor().text == ",":
        return True
    plain = all(rank(t.lower_) < PLAIN and not t.ent_type_ for t in token.subtree)
    return (
        token.dep_ == "mark"
        or (token.dep_ == "advmod" and token.n_lefts + token.n_rights == 0)
        or (token.dep_ == "prep" and plain and token.right_edge.nbor().text == ",")
    )


def _alone(tokens: Sequence["Token"], subject: "Token", head: "Token") -> bool:
    """Whether a clause names what it speaks of: its subject is a name, a figure or a thing that is told apart, and each
    "it" or "their" comes after something in the clause that it can stand for. "There are" names something and says
    nothing of it, unless it denies it."""
    of = [t for t in subject.subtree if tokens[0].i <= t.i <= tokens[-1].i]
    if any(t.lower_ in SPEAKERS or t.lower_ in _LISTENERS for t in tokens):
        return False
    if subject.dep_ == "expl":
        return any(t.lower_ in _DENYING for t in tokens) and not any(t.lower_ in _LATER for t in tokens)
    if subject.pos_ not in ("NOUN", "PROPN") or any(t.lower_ in _LATER for t in of):
        return False
    named = any(t.ent_type_ for t in of) or any(t.pos_ == "PROPN" for t in of)
    if subject.lemma_.lower() in VAGUE and not named:
        return False
    definite = of[0].lower_ == "the" or of[0].tag_ == "PRP$"
    if definite and not named and sum(t.pos_ in ("NOUN", "ADJ", "NUM", "VERB") for t in of) < 2:
        return False
    return not any(t.lower_ in _LATER and _reaches_out(t, subject, head) for t in tokens)


def _reaches_out(pronoun: "Token", subject: "Token", head: "Token") -> bool:
    """Whether "it" or "their" stands for something outside the clause: it comes before the subject, or is governed by
    the verb, so that it cannot be the subject again."""
    governed = pronoun.tag_ == "PRP" and head in (pronoun.head, pronoun.head.head)
    return pronoun.i <= subject.i or governed or subject.dep_ == "expl"


def _denied(sentence: "Span") -> bool:
    """Whether what is said next denies a sentence: "No, it did not", "That's not a fact"."""
    if any(t.dep_ == "neg" or t.lower_ in _DENYING for t in sentence):
        return False
    follows = sentence.doc[sentence.end : sentence.end + FOLLOWING]
    denying = (t for t in follows if t.lower_ in _DENYING or t.dep_ == "neg")
    return any(t.is_sent_start or getattr(subject_of(t.head), "pos_", "PRON") == "PRON" for t in denying)
