"""Transcripts as sentences, and sentences as passages: stretches of one speaker's words that could carry a claim."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from include.claims.offline import borders
from include.transcripts.segment import Segment
from include.words import words

SHORTEST = 20
LONGEST = 100
LONGEST_SENTENCE = 80
UNSTOPPED = 30
"""From how many words a full stop on a turn was written down without most of its stops: then a sentence of more than
`LONGEST_UNSTOPPED` words is cut too."""
LONGEST_UNSTOPPED = 40
NEAR = 45

_NOT_SPEECH = re.compile(r"^\W*(?:break|music|theme music|advert(?:isement)?s?|applause|jingle|outro|intro)\W*$", re.I)
_ENDING = re.compile(r"(?:[.!?…]+|\.\.\.)[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[A-Z0-9$£€])|[!?…][\"'”’)\]]*(?=\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|approx|No|Inc|Ltd|Corp|Co|Gen|Sen|Rep|e\.g|i\.e|a\.k\.a)|\b[A-Z])\.$"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it stands in the transcript. `turn` counts the stretches of one speaker, `part` the stretches
    between breaks such as [BREAK]; `at` is the number of words spoken in the episode before it; `start_seconds` is the
    time known nearest at or before it."""

    text: str
    speaker: str | None
    turn: int
    part: int
    at: int
    size: int
    first_segment: int
    last_segment: int
    start_seconds: float | None


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences `first` to `last`, both included, of one turn."""

    first: int
    last: int
    text: str
    size: int


def sentences(segments: Sequence[Segment]) -> list[Sentence]:
    """Every sentence of a transcript, in spoken order. Text without full stops is cut where
    sentences are likely to end."""
    found: list[Sentence] = []
    at = 0
    known: float | None = None
    for turn, (part, run) in enumerate(_turns(segments)):
        text, offsets = "", []
        for segment in run:
            offsets.append(len(text))
            text += " ".join(segment.text.split()) + " "
        times = []
        for segment in run:
            known = segment.start_seconds if segment.start_seconds is not None else known
            times.append(known)
        for start, end in _borders(text):
            piece = text[start:end].strip()
            size = len(words(piece))
            if not size:
                continue
            first = bisect_right(offsets, start + len(text[start:end]) - len(text[start:end].lstrip())) - 1
            last = bisect_right(offsets, start + len(text[start:end].rstrip()) - 1) - 1
            found.append(
                Sentence(piece, run[0].speaker, turn, part, at, size, run[first].index, run[last].index, times[first])
            )
            at += size
    return found


def passages(spoken: Sequence[Sentence], barred: Collection[int] = ()) -> list[Passage]:
    """Stretches of 20 to 100 words: one for each sentence that can open one, as long as its turn allows.

    A sentence that leans on what was said before ("And", "But", "It") opens none where a better opening stands just
    before it in the same turn. No passage holds any of the sentences whose numbers are barred.
    """
    opened = (
        _from(spoken, first, barred) for first in range(len(spoken)) if first not in barred and opens(spoken, first)
    )
    return [passage for passage in opened if passage is not None]


_LEANING = re.compile(
    r"^\W*(?:and|but|so|or|because|cause|'cause|then|which|also|plus|yeah|yes|yep|no|nope|right|okay|ok|oh|uh|um|like|"
    r"exactly|sure|well|mm|hmm|mhm|it|its|it's|that|that's|this|those|these|they|they're|he|he's|she|she's|them|"
    r"anyway|anyways|again|too|either|otherwise|wow|cool|nice|great|absolutely|totally|definitely|correct)\b",
    re.I,
)
_REPLY = re.compile(
    r"^\W*(?:(?:yeah|yes|yep|yup|no|nope|right|okay|ok|oh|uh|um|exactly|sure|well|mm|hmm|mhm|wow|cool|nice|great|"
    r"absolutely|totally|definitely|correct|for sure|all right|alright|got it|i see|i know|you know|i mean|so|and|but|"
    r"indeed|awesome|interesting|fair enough|of course|that's right|that's true|thank you|thanks)\b\W*)+$",
    re.I,
)


def leans(text: str) -> bool:
    """Whether a text opens with a word that points back at what was said before."""
    return bool(_LEANING.match(text))


def is_reply(text: str) -> bool:
    """Whether a text is no more than a nod: "Yeah, right."."""
    return bool(_REPLY.match(text))


_TURNING = re.compile(
    r"^\W*(?:and |but |okay,? |all right,? |now,? )*(?:(?:we'll|we will|i'll) be (?:right )?back|"
    r"(?:here's|here is) what else|you're listening to|you are listening to|this is (?:npr|fresh air|the daily)|"
    r"in (?:other|related|sports|business|international|local|world) news|meanwhile\b|elsewhere\b|turning (?:now )?to|"
    r"(?:moving|next) (?:on|up)\b|(?:and )?finally,|(?:from|for) \w+ news,? |i'm \w+ \w+(?: in| with|,)? |"
    r"(?:our|the) next (?:story|topic|question|item)|let's (?:move on|turn|switch|talk about)|switching gears|"
    r"(?:\w+['’]s )?\w+ \w+ (?:reports|has more|has this report)\b)",
    re.I,
)


def turns_to_another_matter(text: str) -> bool:
    """Whether a sentence says that something else follows: "Meanwhile", "We'll be right back"."""
    return bool(_TURNING.match(text))


def opens(spoken: Sequence[Sentence], i: int) -> bool:
    """Whether a passage may start at sentence `i`: not at a nod, nor mid-argument where a better start is near."""
    sentence = spoken[i]
    if is_reply(sentence.text):
        return False
    if not leans(sentence.text):
        return True
    back, gap = i - 1, 0
    while back >= 0 and spoken[back].turn == sentence.turn and gap + spoken[back].size <= NEAR:
        if not is_reply(spoken[back].text) and not leans(spoken[back].text):
            return False
        gap += spoken[back].size
        back -= 1
    return True


def _from(spoken: Sequence[Sentence], first: int, barred: Collection[int]) -> Passage | None:
    """The passage that starts at a sentence, None where its turn holds no 20 words from there on."""
    size, ended = 0, None
    for last in range(first, len(spoken)):
        if spoken[last].turn != spoken[first].turn or last in barred:
            break
        size += spoken[last].size
        if size > LONGEST:
            break
        if size >= SHORTEST and not (last > first and is_reply(spoken[last].text)):
            ended = last + 1
    if ended is None:
        return None
    run = spoken[first:ended]
    return Passage(first, ended - 1, " ".join(s.text for s in run), sum(s.size for s in run))


def _turns(segments: Sequence[Segment]) -> Iterator[tuple[int, list[Segment]]]:
    """Runs of segments of one speaker, each with the number of breaks before it; a line such as [BREAK] or a caption's
    `>>` ends a run."""
    part = 0
    run: list[Segment] = []
    for segment in segments:
        if _NOT_SPEECH.match(segment.text) or not segment.text.strip():
            if run:
                yield part, run
            run = []
            part += bool(segment.text.strip())
            continue
        if run and (segment.speaker != run[-1].speaker or segment.text.lstrip().startswith((">>", "&gt;&gt;"))):
            yield part, run
            run = []
        run.append(segment)
    if run:
        yield part, run


def _borders(text: str) -> Iterator[tuple[int, int]]:
    """Where the sentences of a turn start and end, as offsets into its text."""
    ends = [m.end() for m in _ENDING.finditer(text) if not _ABBREVIATION.search(text[max(0, m.start() - 8) : m.end()])]
    unstopped = len(words(text)) > UNSTOPPED * (len(ends) + 1)
    longest = LONGEST_UNSTOPPED if unstopped else LONGEST_SENTENCE
    start = 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        cuts = [start + cut for cut in borders.ends(piece)] if len(words(piece)) > longest else []
        yield from pairwise([start, *cuts, end])
        start = end
