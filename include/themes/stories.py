"""What a day is about: names that several shows speak of together, and did not before.

A name bursts where shows speak of it more than they did in the 30 days before: for each show of the last three days,
how much it speaks of the name, times the logarithm of that over what it used to, summed up. So distinct shows count and
not mentions, and what a show always speaks of (its host, its sponsor, its sport) is no news. Bursting names that are
said in the same passages are one story. What a day is about depends on that day and the days before it only.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from include.themes.names import names_of

DAYS_BEFORE = 30
# What was said today, yesterday and the day before counts for so much.
RECENT = (1.0, 0.7, 0.5)
DAYS_READ = DAYS_BEFORE + len(RECENT) - 1
"""How many days before a day its stories are derived from."""
# How much an episode of the day must speak of a name, and a show of these days to be one that speaks of it.
TOLD_TODAY, TOLD = 0.4, 0.25
# How much an episode speaks of what it is all about, or has in its title.
LEADING = 0.8
# Of a name that nobody spoke of: what an episode would, and how many episodes that is known from.
UNHEARD, KNOWN_FROM = 0.03, 4
# As many episodes as must have been read before bursts are worth half of what they seem.
HISTORY = 5
# The share of their passages (a cosine) that names of one story have in common: in several shows, in one alone.
TOGETHER, TOGETHER_ALONE = 0.15, 0.3
# A name that only one show tells so far is part of a story where so many have spoken of it at all; it is worth less.
KNOWN_TO, TOLD_ALONE = 3, 0.8
# How much a name of a story must burst, as a share of its greatest.
LEAST_SHARE = 0.1
CANDIDATES, NAMES, STORIES = 60, 8, 3
WEAKEST = 1.8
# A claim tells a story of which it says so much.
TELLS = 0.5
# Where none does, the day's first story is told by those that say so much of it.
TOUCHES = 0.25

COLUMNS = ("partition_date", "place", "story", "strength", "show_count", "names", "weights")


@dataclass(frozen=True, slots=True)
class Story:
    """What some of a day's shows speak of: `title` are its greatest names as written, `names` and `weights` the
    words of all its names and how much each bursts, and `shows` how many shows of the last three days told it."""

    title: str
    strength: float
    shows: int
    names: tuple[str, ...]
    weights: tuple[float, ...]

    def told_by(self, text: str, around: str = "") -> float:
        """How much of the story a text tells, 0 to 1: the share of its four greatest names that the text says itself,
        or, for half as much, that are said around it."""
        own, near = set(names_of(text)), set(names_of(around))
        share = dict(zip(self.names, self.weights, strict=True))
        said = sum(weight * (1.0 if name in own else 0.5 if name in near else 0.0) for name, weight in share.items())
        return min(1.0, round(said / sum(sorted(self.weights)[-4:]), 4))


def derive(names: pd.DataFrame, first_day: date | None = None) -> pd.DataFrame:
    """The stories of each day, at most three, the strongest first (place 1): COLUMNS, a row a story.

    `names` has a row a name of an episode: episode_id, show_id, partition_date, name, written, passages and telling. Of
    days before `first_day` it needs the last 32.
    """
    told = names.assign(day=[_day(value) for value in names["partition_date"]])
    told = told.sort_values(["day", "episode_id", "name"], ignore_index=True)
    days = told["day"].to_numpy()
    rows = []
    for day in sorted(set(days)):
        if first_day is None or day >= first_day:
            start, end = days.searchsorted(day - timedelta(DAYS_READ)), days.searchsorted(day, "right")
            rows += [
                (day, place, story.title, story.strength, story.shows, list(story.names), list(story.weights))
                for place, story in enumerate(stories(told[start:end], day), 1)
            ]
    # Types are given so that a result without rows still makes the right table.
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {
            "partition_date": pd.ArrowDtype(pa.date32()),
            "place": "int32",
            "story": "str",
            "strength": "float64",
            "show_count": "int32",
            "names": pd.ArrowDtype(pa.list_(pa.string())),
            "weights": pd.ArrowDtype(pa.list_(pa.float64())),
        }
    )


def told_by_claims(claims: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The story of its day that each claim tells, for claims that tell one: claim_id, partition_date, story, telling
    (how much of it, 0.25 to 1), strength and show_count of the story. Of several, the one of which it brings most.

    `claims` has claim_id, partition_date, text (headline and insight) and said (what was said around it), `found` the
    stories of their days, as `derive` gives them.
    """
    of_day: dict[date, list[Story]] = defaultdict(list)
    for row in found.sort_values("place").itertuples(index=False):
        story = Story(row.story, row.strength, row.show_count, tuple(row.names), tuple(row.weights))
        of_day[_day(row.partition_date)].append(story)
    rows = []
    for value, of_the_day in claims.groupby("partition_date", sort=True):
        told_stories = of_day.get(day := _day(value), [])
        least = [TELLS] * len(told_stories)
        tellings = [
            [story.told_by(claim.text, claim.said) for story in told_stories]
            for claim in of_the_day.itertuples(index=False)
        ]
        if told_stories and max(telling[0] for telling in tellings) < TELLS:
            least[0] = TOUCHES
        for claim_id, telling in zip(of_the_day["claim_id"], tellings, strict=True):
            enough = [(one, story) for one, story, bar in zip(telling, told_stories, least, strict=True) if one >= bar]
            if enough:
                most, story = max(enough, key=lambda one: one[0] * one[1].strength)
                rows.append((claim_id, day, story.title, most, story.strength, story.shows))
    columns = ["claim_id", "partition_date", "story", "telling", "strength", "show_count"]
    return pd.DataFrame(rows, columns=columns).astype(
        {
            "claim_id": "str",
            "partition_date": pd.ArrowDtype(pa.date32()),
            "story": "str",
            "telling": "float64",
            "strength": "float64",
            "show_count": "int32",
        }
    )


def stories(told: pd.DataFrame, day: date) -> list[Story]:
    """The stories of one day, the strongest first. `told` are the names of that day and the 32 before, with `day`."""
    is_recent = told["day"] > day - timedelta(len(RECENT))
    recent, before = told[is_recent], told[~is_recent]
    of_today = recent[(recent["day"] == day) & (recent["telling"] >= TOLD_TODAY)]
    wanted = set(of_today["name"])
    bursts = _bursts(recent[recent["name"].isin(wanted)], before, day)
    tamed = before["episode_id"].nunique() / (before["episode_id"].nunique() + HISTORY)
    found = [story for story in _grouped(bursts, tamed) if story.strength >= WEAKEST]
    return sorted(found, key=lambda story: (-story.strength, story.title))[:STORIES]


@dataclass(frozen=True, slots=True)
class _Burst:
    """A name that is told today: how much it bursts, how many shows tell it, and whether enough have ever spoken of it,
    where it is said, by (show, episode, passage), and how it is written."""

    name: str
    size: float
    shows: int
    leads: bool
    said_at: frozenset[tuple[str, str, int]]
    written: str


def _bursts(recent: pd.DataFrame, before: pd.DataFrame, day: date) -> list[_Burst]:
    episodes_before = before["episode_id"].nunique()
    episodes_of = before.groupby("show_id")["episode_id"].nunique().to_dict()
    before = before[before["name"].isin(set(recent["name"]))]
    usual = before.groupby("name")["telling"].sum().to_dict()
    own_usual = before.groupby(["name", "show_id"])["telling"].sum().to_dict()
    shows_before = before.groupby("name")["show_id"].agg(set).to_dict()
    bursts = []
    for name, rows in recent.groupby("name", sort=True):
        tellings: dict[str, float] = {}
        for show, told_on, telling in zip(rows["show_id"], rows["day"], rows["telling"], strict=True):
            tellings[show] = max(tellings.get(show, 0.0), telling * RECENT[(day - told_on).days])
        expected = (usual.get(name, 0.0) + KNOWN_FROM * UNHEARD) / (episodes_before + KNOWN_FROM)
        size = 0.0
        for show, telling in sorted(tellings.items()):
            own = (own_usual.get((name, show), 0.0) + 2 * expected) / (episodes_of.get(show, 0) + 2)
            size += telling * max(0.0, math.log(telling / own))
        said_at = frozenset(
            (show, episode, int(passage) + after)
            for show, episode, passages in zip(rows["show_id"], rows["episode_id"], rows["passages"], strict=True)
            for passage in passages
            for after in (0, 1)
        )
        shows = sum(telling >= TOLD for telling in tellings.values())
        is_known = len(tellings.keys() | shows_before.get(name, set())) >= KNOWN_TO
        leads = is_known and bool((rows.loc[rows["day"] == day, "telling"] >= LEADING).any())
        bursts.append(_Burst(str(name), round(size, 4), shows, leads, said_at, _commonest(rows["written"])))
    return sorted(bursts, key=lambda burst: (-burst.size, burst.name))


def _grouped(bursts: Sequence[_Burst], tamed: float) -> Iterator[Story]:
    """Stories around the names that burst most: first of those that several shows tell, then with those of one show."""
    several = [burst for burst in bursts if burst.shows > 1][:CANDIDATES]
    any_of_them = [burst for burst in bursts if burst.shows > 0][:CANDIDATES]
    taken: set[str] = set()
    for candidates, together, least, worth in (
        (several, TOGETHER, 2, 1.0),
        (any_of_them, TOGETHER_ALONE, 1, TOLD_ALONE),
    ):
        for seed in candidates:
            if seed.shows < least or (least == 1 and not seed.leads):
                continue
            with_it = [
                one
                for one in candidates
                if one is not seed
                and not {one.name, seed.name} & taken
                and one.size >= LEAST_SHARE * seed.size
                and _together(seed, one, together, least)
            ]
            if with_it and (least > 1 or any(one.leads for one in with_it)):
                members = [seed, *with_it][:NAMES]
                taken |= {one.name for one in members}
                strength = round(worth * tamed * sum(one.size for one in members[:3]) / 3, 4)
                yield Story(
                    _title(members),
                    strength,
                    seed.shows,
                    tuple(one.name for one in members),
                    tuple(one.size for one in members),
                )


def _together(one: _Burst, other: _Burst, cosine: float, shows: int) -> bool:
    both = one.said_at & other.said_at
    if len(both) < cosine * math.sqrt(len(one.said_at) * len(other.said_at)):
        return False
    return len({show for show, *_ in both}) >= shows


def _title(members: Sequence[_Burst]) -> str:
    """The names of a story as they are written, at most three, none that is part of another."""
    told: list[str] = []
    for one in members:
        if not any(set(names_of(one.written)) & set(names_of(other)) for other in told):
            told.append(one.written)
    return ", ".join(told[:3])


def _commonest(written: pd.Series) -> str:
    counts = written.value_counts()
    return min((str(name) for name in counts.index), key=lambda name: (-int(counts[name]), name))


def _day(value: Any) -> date:
    return pd.Timestamp(str(value)).date()
