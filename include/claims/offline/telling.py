"""Which sentences of a talk are told of a passage: from where its subject is named, to the end of the thought.

A passage is found by its worth and may begin with "It" or end with the question that comes next. Here its beginning is
moved to a sentence that stands by itself, its end to a sentence that is finished, and what belongs to another matter
goes. Where the subject is named further off, the sentence that names it is brought before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.claims.grammar import stands
from include.claims.offline import borders
from include.claims.offline.passages import Passage, Sentence, is_reply, leans, turns_to_another_matter
from include.claims.offline.wording import capital, opened

MOST_TOLD = 90
LEAST_TOLD = 25
BACK = 50
"""How many words before a passage are told with it, so that it begins where its subject is named."""
FAR = 160
LONGEST_LEAD = 35
"""How far before it, in words, and how long the sentence may be that names the subject of a passage."""
GAP = " … "
ALIKE = 0.35
"""How alike, as the cosine of their meaning, a sentence must be to a passage to name its subject."""
SHORT = 6
"""Up to how many words a last sentence that points back ("So that's fair.") adds nothing."""
SHORTEST_TURN = 8
UNLIKE = 0.12
"""How alike, as the cosine of their meaning, the sentences before and after a place must be to be of one matter."""

_CAPTION = re.compile(
    r"(?<=[\w,] )(?:And|But|So|Or|Because|Which|What|When|Where|If|That|This|These|Those|It|He|She|They|We|You|The|A|"
    r"An|Of|To|In|On|At|For|From|With|As|By|Is|Are|Was|Were|Have|Has|Had|Then)(?= )"
)
_ENDED = re.compile(r"(?<!\.)[.!?][\"'”’)\]]*$")
_SIGNED = re.compile(
    r"(?:^[A-Z][\w’'-]+ [A-Z][\w’'-]+, (?:\w+ News|for \w+)\b.{0,40}|\breporting(?: from [\w ,]+)?)\.$"
)
"""How a report is signed off: "Ann Lee, Harbour News, Ostrey."."""
_ASKS = re.compile(r"\?[\"'”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Told:
    """Sentences `first` to `last`, both included, and the one further up that names their subject, if that is apart."""

    first: int
    last: int
    lead: int | None = None

    def text(self, spoken: Sequence[Sentence]) -> str:
        """What is told, with the stops and capitals that were not written down."""
        body = _written(spoken[self.first : self.last + 1])
        return body if self.lead is None else _written([spoken[self.lead]]) + GAP + opened(body)


def told(spoken: Sequence[Sentence], vectors: np.ndarray, passage: Passage, weights: np.ndarray) -> Told:
    """What is told of a passage. `vectors` are the meanings of the sentences, one row each, `weights` what each part of
    a meaning is worth: of a passage that is too long, or of two matters, the part that weighs most is told."""
    first, last = _heaviest(spoken, vectors, passage, weights)
    first, lead = _beginning(spoken, vectors, first, last)
    return Told(first, _end(spoken, first, last), lead)


def _written(said: Sequence[Sentence]) -> str:
    """Sentences as they are written. One that was cut out of talk without stops loses the capitals that each caption
    begins with; it gets its stop, and the next one its capital, where it clearly ends."""
    text = ""
    for i, sentence in enumerate(said):
        guessed = not _stopped(sentence)
        goes_on = i > 0 and not _stopped(said[i - 1]) and not borders.is_clear(said[i - 1].text, sentence.text)
        plain = sentence.text if goes_on or not guessed else capital(sentence.text)
        stop = guessed and (i + 1 == len(said) or borders.is_clear(sentence.text, said[i + 1].text))
        joined = f"{text} {plain}" if text else plain
        text = (_CAPTION.sub(lambda found: found[0].lower(), joined) if guessed or goes_on else joined) + "." * stop
    return text


def _stopped(sentence: Sentence) -> bool:
    return not sentence.text[-1].isalnum()


def one_matter(spoken: Sequence[Sentence], vectors: np.ndarray, first: int, last: int) -> list[tuple[int, int]]:
    """The stretches of sentences `first` to `last` between which the talk turns to another matter."""
    cuts = [i for i in range(first + 1, last + 1) if _turns(spoken, vectors, i)]
    return list(zip([first, *cuts], [*(cut - 1 for cut in cuts), last], strict=True))


def _turns(spoken: Sequence[Sentence], vectors: np.ndarray, i: int) -> bool:
    """Whether sentence `i` begins another matter than the sentence before it was about."""
    if spoken[i].part != spoken[i - 1].part or turns_to_another_matter(spoken[i].text):
        return True
    if _SIGNED.search(spoken[i - 1].text):
        return True
    if spoken[i].size < SHORTEST_TURN:
        return False
    before, after = vectors[max(0, i - 2) : i].mean(axis=0), vectors[i : i + 2].mean(axis=0)
    alike = float(before @ after) / float(np.linalg.norm(before) * np.linalg.norm(after) + 1e-9)
    return alike < UNLIKE and stands(opened(spoken[i].text))


def _heaviest(
    spoken: Sequence[Sentence], vectors: np.ndarray, passage: Passage, weights: np.ndarray
) -> tuple[int, int]:
    """The run of whole sentences of one matter and at most `MOST_TOLD` words that weighs most."""
    runs = []
    for start, end in one_matter(spoken, vectors, passage.first, passage.last):
        for first in range(start, end + 1):
            sizes = np.cumsum([sentence.size for sentence in spoken[first : end + 1]])
            last = first + max(int(np.searchsorted(sizes, MOST_TOLD, side="right")) - 1, 0)
            if first > start and not stands(opened(spoken[first].text)):
                continue
            weight = sum(spoken[i].size * float(vectors[i] @ weights) for i in range(first, last + 1))
            runs.append((int(sizes[last - first]) >= LEAST_TOLD, weight, -first, last))
            if last == end:
                break
    *_, first, last = max(runs)
    return -first, last


def _beginning(spoken: Sequence[Sentence], vectors: np.ndarray, first: int, last: int) -> tuple[int, int | None]:
    """Where a passage begins so that it stands: at a sentence shortly before it, else at a later one of its own where
    enough is left, else where it did, with the sentence that names its subject."""
    if stands(opened(spoken[first].text)):
        return first, None
    size, start = 0, first
    while start > 0 and not _turns(spoken, vectors, start) and size + spoken[start - 1].size <= BACK:
        start -= 1
        size += spoken[start].size
        if stands(opened(spoken[start].text), named=True):
            return start, None
    for start in range(first + 1, last + 1):
        if sum(s.size for s in spoken[start : last + 1]) < LEAST_TOLD + 10:
            break
        if stands(opened(spoken[start].text)):
            return start, None
    return first, _lead(spoken, vectors, first, last)


def _lead(spoken: Sequence[Sentence], vectors: np.ndarray, first: int, last: int) -> int | None:
    """The sentence shortly before a passage that stands by itself and is most alike to it."""
    about = vectors[first : last + 1].mean(axis=0)
    found = []
    for i in range(first - 1, -1, -1):
        if spoken[first].at - spoken[i].at > FAR or spoken[i].part != spoken[first].part:
            break
        fits = 6 <= spoken[i].size <= LONGEST_LEAD and _ENDED.search(spoken[i].text)
        if fits and stands(opened(spoken[i].text), named=True):
            found.append((float(vectors[i] @ about) / float(np.linalg.norm(about) + 1e-9), i))
    alike, lead = max(found, default=(0.0, None))
    return lead if alike >= ALIKE else None


def _end(spoken: Sequence[Sentence], first: int, last: int) -> int:
    """Where a passage ends with the thought: what belongs to the next one, breaks off or says nothing goes."""
    size = sum(sentence.size for sentence in spoken[first : last + 1])
    while last > first and size - spoken[last].size >= LEAST_TOLD and _dangles(spoken, last):
        size -= spoken[last].size
        last -= 1
    adds = spoken[last].size > SHORT or not leans(spoken[last].text) or size - spoken[last].size < LEAST_TOLD
    return last if adds or last == first else last - 1


def _dangles(spoken: Sequence[Sentence], i: int) -> bool:
    text = spoken[i].text
    # What ends without a stop inside a turn was cut out of talk without stops.
    cut = text[-1].isalnum() and i + 1 < len(spoken) and spoken[i + 1].turn == spoken[i].turn
    if not (cut or _ENDED.search(text)) or _ASKS.search(text):
        return True
    return is_reply(text) or turns_to_another_matter(text) or not stands(opened(text), pointing=True)
