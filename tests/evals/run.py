"""The quality figures, as one Markdown table: `make evals`.

Measured against the annotated real episodes in `../shared` where they are, and against the bundled sample. The row that
speaks for new shows is the one where each show is judged by weights fitted on the other shows; for new fields, that by
weights fitted on the other fields. What a show says again in other episodes that are measured is left out, as the chain
does. A chat model is measured as well where PODCAST_LLM_MODEL names one, with what it costs.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from include.claims import repetition
from include.claims.chat.extractor import ChatExtractor
from include.claims.chat.scorer import ChatScorer
from include.claims.claim import Claim, Extraction, Extractor, ReadEpisode, Scorer
from include.claims.offline.extractor import OfflineExtractor, OfflineScorer
from include.claims.offline.worth import Weights, fitted
from include.local.claim_files import EpisodeFile, claims_of
from include.pipeline.chosen_models import calls, extractor, scorer
from include.settings import OFFLINE, settings
from tests.evals import recorded
from tests.evals.fit_offline import Lesson, by_field, by_show, lesson
from tests.evals.material import SOFTWARE, Annotated, bundled_gold, further_readings, shared_gold
from tests.evals.measures import MEASURES, measure

COLUMNS = (
    "set-up", "episodes", *MEASURES, "claims an hour", "dropped", "tokens", "cost (USD)", "s for 10,000 words",
)  # fmt: skip


@dataclass
class Run:
    """One model set-up over a body of episodes: an entry an episode in each list."""

    title: str
    figures: list[dict[str, float]] = field(default_factory=list)
    claims: int = 0
    hours: float = 0.0
    words: int = 0
    seconds: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    cost: float = 0.0

    def add(self, annotated: Annotated, extraction: Extraction, ranked: Sequence[Claim], seconds: float) -> None:
        self.figures.append(measure(annotated.spoken, annotated.marked, [claim.quote for claim in ranked]))
        self.claims += len(extraction.claims)
        self.hours += annotated.hours
        self.words += len(annotated.spoken.words)
        self.seconds += seconds
        self.dropped.update(one.reason for one in extraction.dropped)

    def row(self) -> str:
        means = [_mean([f[name] for f in self.figures]) for name in MEASURES]
        dropped = ", ".join(f"{reason} {n}" for reason, n in sorted(self.dropped.items())) or "0"
        cells = [
            self.title, str(len(self.figures)), *means, f"{self.claims / max(1e-9, self.hours):.0f}", dropped,
            str(self.tokens), f"{self.cost:.2f}", f"{self.seconds / max(1, self.words) * 10_000:.1f}",
        ]  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def main() -> int:
    print("| " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * (len(COLUMNS) - 1), flush=True)
    real, bundled = shared_gold(), bundled_gold()
    if not real:
        print("No annotated real episodes here.", file=sys.stderr)
    for run in [*real_runs(real, further_readings()), *bundled_runs(bundled)] if real else bundled_runs(bundled):
        print(run.row(), flush=True)
    return 0


def real_runs(gold: Sequence[Annotated], further: Sequence[Annotated]) -> Iterator[Run]:
    """The rows for real episodes: the gold, further episodes that other readers marked, and both by field."""
    read = read_all([*gold, *further])
    lessons = [one.lesson for one in read]
    unseen, strange = by_show(lessons), by_field(lessons)
    of_others = [judged(one, unseen[one.lesson.show]) for one in read]
    yield row("offline, gold, each show by weights fitted on the others", of_others[: len(gold)])
    if further:
        yield row("offline, further readings, each show by weights fitted on the others", of_others[len(gold) :])
    of_other_fields = [judged(one, strange[one.annotated.field]) for one in read] if strange else []
    bodies = {name: {name} for name in sorted(strange)} | {"all but software": set(strange) - {SOFTWARE}}
    for name, fields in bodies.items() if strange else ():
        for title, all_judged in (
            (f"offline, {name}, by weights fitted on other fields", of_other_fields),
            (f"offline, {name}, each show by weights fitted on the others", of_others),
        ):
            yield row(title, [one for one in all_judged if one.annotated.field in fields])
    yield row("offline, gold, shipped weights (fitted on these)", [judged(one, fitted()) for one in read[: len(gold)]])
    yield from by_readers([*gold, *further])
    if settings().llm_model != OFFLINE:
        yield chat("gold", gold)


def by_readers(material: Sequence[Annotated]) -> Iterator[Run]:
    """The chat path by the recorded answers of careful readers, where there are some to the questions of today."""
    answered = [one for one in material if one.episode.episode_id in recorded.subjects()]
    for name in dict.fromkeys(one.field for one in answered):
        some = [one for one in answered if one.field == name]
        reader = recorded.recorded(some)
        run = chat_run(f"chat path, answers of readers, {name}", some, ChatExtractor(reader), ChatScorer(reader))
        if reader.missing:
            print(f"{name}: {reader.missing} questions have no answer, since the prompts have changed", file=sys.stderr)
        else:
            run.tokens = reader.asked_tokens
            yield run


def bundled_runs(material: Sequence[Annotated]) -> Iterator[Run]:
    """The rows for the bundled sample."""
    yield row("offline, bundled sample, shipped weights", [judged(one, fitted()) for one in read_all(material)])
    if settings().llm_model != OFFLINE:
        yield chat("bundled sample", material)


@dataclass(frozen=True)
class Read:
    """An episode read, in so many seconds; `again` are the runs of words that other episodes of its show have too."""

    lesson: Lesson
    seconds: float
    again: np.ndarray

    @property
    def annotated(self) -> Annotated:
        return self.lesson.annotated


@dataclass(frozen=True)
class Judged:
    """What was found in an episode, best first, without what its show repeats; seconds with those of reading."""

    annotated: Annotated
    extraction: Extraction
    ranked: list[Claim]
    seconds: float


def read_all(material: Sequence[Annotated]) -> list[Read]:
    """Each episode read; the others of a show are those of the material."""
    said: dict[str, dict[str, np.ndarray]] = {}
    for one in material:
        said.setdefault(one.show, {})[one.slug] = repetition.runs(" ".join(s.text for s in one.segments))
    found = []
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        one = lesson(annotated)
        spent = time.perf_counter() - started
        show = said[annotated.show]
        others = [runs for slug, runs in show.items() if slug != annotated.slug]
        found.append(Read(one, spent, repetition.repeated(show[annotated.slug], others)))
        print(f"[{number}/{len(material)}] {annotated.slug}", file=sys.stderr)
    return found


def judged(read: Read, weights: Weights) -> Judged:
    """The offline model with the weights that an episode is to be judged by."""
    started = time.perf_counter()
    extraction = OfflineExtractor(weights).choose(read.lesson.reading)
    ranked = sorted(extraction.claims, key=lambda claim: -claim.features["worth"])
    OfflineScorer(weights).score([ReadEpisode(read.annotated.episode, read.annotated.segments, ranked)])
    spent = read.seconds + time.perf_counter() - started
    kept = [c for c in ranked if not repetition.is_repeated(repetition.share_repeated(c.quote, read.again))]
    return Judged(read.annotated, extraction, kept, spent)


def row(title: str, some: Sequence[Judged]) -> Run:
    run = Run(title)
    for one in some:
        run.add(one.annotated, one.extraction, one.ranked, one.seconds)
    return run


def chat(place: str, material: Sequence[Annotated]) -> Run:
    """The chat model that the settings name; what was asked before is not asked again."""
    before = _spent(calls(settings()).records())
    run = chat_run(f"{settings().llm_model}, {place}", material, extractor(settings()), scorer(settings()))
    after = _spent(calls(settings()).records())
    run.tokens, run.cost = int(after[0] - before[0]), after[1] - before[1]
    return run


def chat_run(title: str, material: Sequence[Annotated], finder: Extractor, judge: Scorer) -> Run:
    run = Run(title)
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        picked = claims_of(EpisodeFile(annotated.episode, annotated.segments), finder, judge)
        spent = time.perf_counter() - started
        run.add(annotated, Extraction(tuple(c for c, _ in picked)), [c for c, _ in picked], spent)
        print(f"[{number}/{len(material)}] {title}: {annotated.slug}", file=sys.stderr)
    return run


def _mean(values: Sequence[float]) -> str:
    """The mean, with its standard error where the values differ."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.3f}" + (f" ± {error:.3f}" if error else "")


def _spent(calls: Sequence[dict]) -> tuple[float, float]:
    return (
        sum((c["input_tokens"] or 0) + (c["output_tokens"] or 0) for c in calls),
        sum(c["cost_usd"] or 0.0 for c in calls),
    )


if __name__ == "__main__":
    sys.exit(main())
