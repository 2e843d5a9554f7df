"""Invented talk for benchmarks: episodes with transcripts, what is claimed in them, and models that find just that.

Each claim is a sentence about a company; what is said of one company, by whichever show on whichever day, is one
story. A quarter of a day's claims tell stories that other shows tell, begun within the last five days. All follows
from the numbers of day and episode alone.
"""

import functools
import json
import re
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np

from include.claims.claim import Claim, Episode, Extraction, ReadEpisode, Score
from include.models.meaning import ClaimEncoder, _vocabulary
from include.transcripts.segment import Segment

EPOCH = date(2025, 1, 1)
CLAIMS = 20
SEGMENTS, SENTENCES, WORDS = 140, 3, 14
"""What an episode has, what a segment has, what a sentence has: six thousand words, some 35 minutes."""
SHARED = 0.25
SHOWS_A_PLACE = 3
"""How many shows there are for each episode of a day."""

_CLAIM = re.compile(r"[A-Z][^.]* reportedly [^.]*\.")
_SYLLABLES = (
    "vel",
    "kor",
    "tar",
    "nim",
    "bra",
    "sol",
    "dun",
    "mer",
    "pel",
    "ras",
    "ox",
    "ith",
    "gal",
    "hep",
    "zan",
    "lu",
)
_VERBS = ("cut", "raised", "doubled", "halved", "sold", "bought", "closed", "opened")


class Invented:
    """Finds, embeds and scores what was planted, in place of the models of the chain."""

    version = "1"
    name = ClaimEncoder.name

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        return Extraction(
            tuple(
                Claim(quote, " ".join(quote.split()[:9]), quote, segment.speaker, segment.index, segment.index, 0.0)
                for segment in segments
                for quote in _CLAIM.findall(segment.text)
            )
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.array([_centre(" ".join(text.split()[:2])) + 0.5 * _noise(text) for text in texts], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        return [
            [Score(zlib.crc32(claim.quote.encode()) % 500 / 100, "as planted") for claim in read.claims] for read in day
        ]


def day_of(number: int) -> date:
    return EPOCH + timedelta(number)


def show_of(day: int, episode: int, episodes: int) -> int:
    return (day * episodes + episode) % (SHOWS_A_PLACE * episodes)


def segments(day: int, episode: int, episodes: int) -> list[str]:
    """What is said in an episode, a text a segment."""
    random = np.random.default_rng([day, episode])
    words, shares = _words()
    drawn = words[random.choice(len(words), (SEGMENTS, SENTENCES, WORDS), p=shares)].tolist()
    spoken = [[" ".join(sentence).capitalize() + "." for sentence in segment] for segment in drawn]
    for place, at in enumerate(random.choice(SEGMENTS, CLAIMS, replace=False).tolist()):
        if random.random() < SHARED:
            begun = max(day - int(random.integers(5)), 0)
            story = [begun, 1, int(random.integers(max(episodes * CLAIMS // 40, 1)))]
        else:
            story = [day, 2 + episode, place]
        about = np.random.default_rng(story)
        verb, percent = _VERBS[random.integers(len(_VERBS))], random.integers(2, 99)
        told = " ".join(words[random.choice(len(words), 16, p=shares)])
        claim = f"{_name(about)} {_name(about)} reportedly {verb} {told} by {percent} percent in {_name(about)}."
        spoken[at][1] = claim
    return [" ".join(sentences) for sentences in spoken]


def write_feeds(folder: Path, day: int, episodes: int) -> None:
    """The feeds of a day and their transcripts, as `include.local.sample.server` serves them."""
    for name in ("feeds", "transcripts"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    at = format_datetime(datetime.combine(day_of(day), time(12), UTC))
    for episode in range(episodes):
        show, guid = show_of(day, episode, episodes), f"e{day}-{episode}"
        (folder / "feeds" / f"{show}.xml").write_text(
            '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>'
            f"<title>Show {show}</title><language>en</language><item><title>Episode {guid}</title><guid>{guid}</guid>"
            f'<pubDate>{at}</pubDate><enclosure url="https://media.example/{guid}.mp3" type="audio/mpeg"/>'
            f'<podcast:transcript url="../transcripts/{guid}.json" type="application/json" language="en"/>'
            "</item></channel></rss>"
        )
        spoken = [
            {"speaker": f"Host {show}", "startTime": 15.0 * n, "endTime": 15.0 * n + 15, "body": text}
            for n, text in enumerate(segments(day, episode, episodes))
        ]
        (folder / "transcripts" / f"{guid}.json").write_text(json.dumps({"version": "1.0.0", "segments": spoken}))


@functools.cache
def _words() -> tuple[np.ndarray, np.ndarray]:
    """English words and how often each is said, by Zipf's law."""
    ranked = sorted((place, word) for word, place in _vocabulary().items() if place >= 1996 and word.isalpha())
    known = np.array([word for _, word in ranked])
    shares = 1 / (np.arange(len(known)) + 10.0)
    return known, shares / shares.sum()


def _name(random: np.random.Generator) -> str:
    return "".join(_SYLLABLES[i] for i in random.integers(len(_SYLLABLES), size=3)).capitalize()


def _centre(key: str) -> np.ndarray:
    return _noise(f"centre of {key}")


def _noise(text: str) -> np.ndarray:
    vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(384, dtype=np.float32)
    return vector / np.linalg.norm(vector)
