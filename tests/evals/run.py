"""The quality figures, as one Markdown table: `make evals`.

Measured against the annotated real episodes in `../shared` where they are, and against the bundled sample. The row that
speaks for new shows is the one where each show is judged by weights fitted on the other shows. A chat model is measured
as well where PODCAST_LLM_MODEL names one, with what it costs.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from include.claims.claim import Claim, Extraction, ReadEpisode
from include.claims.offline.extractor import OfflineExtractor, OfflineScorer
from include.claims.offline.worth import Weights, fitted
from include.local.claim_files import EpisodeFile, claims_of
from include.pipeline.chosen_models import calls, extractor, scorer
from include.settings import OFFLINE, settings
from tests.evals.fit_offline import Lesson, by_field, by_show, lesson
from tests.evals.material import Annotated, bundled_gold, further_readings, shared_gold
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
    """The rows for real episodes: the gold, and further episodes that other readers marked."""
    lessons = read([*gold, *further])
    unseen = by_show([one for one, _ in lessons])
    bodies = {"gold": lessons[: len(gold)], "further readings": lessons[len(gold) :]}
    for name, some in bodies.items():
        if some:
            yield offline(f"offline, {name}, each show by weights fitted on the others", some, lambda a: unseen[a.show])
    strange = by_field([one for one, _ in lessons])
    for name in sorted(strange):
        some = [(one, spent) for one, spent in lessons if one.annotated.field == name]
        yield offline(f"offline, {name}, by weights fitted on other fields", some, lambda a: strange[a.field])
        yield offline(f"offline, {name}, each show by weights fitted on the others", some, lambda a: unseen[a.show])
    yield offline("offline, gold, shipped weights (fitted on these)", bodies["gold"], lambda _: fitted())
    if settings().llm_model != OFFLINE:
        yield chat("gold", gold)


def bundled_runs(material: Sequence[Annotated]) -> Iterator[Run]:
    """The rows for the bundled sample."""
    yield offline("offline, bundled sample, shipped weights", read(material), lambda _: fitted())
    if settings().llm_model != OFFLINE:
        yield chat("bundled sample", material)


def read(material: Sequence[Annotated]) -> list[tuple[Lesson, float]]:
    """Each episode read, with the seconds that it took."""
    lessons = []
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        one = lesson(annotated)
        lessons.append((one, time.perf_counter() - started))
        print(f"[{number}/{len(material)}] {annotated.slug}", file=sys.stderr)
    return lessons


def offline(title: str, lessons: Sequence[tuple[Lesson, float]], weights: Callable[[Annotated], Weights]) -> Run:
    """The offline model with the weights that an episode is to be judged by."""
    run = Run(title)
    for one, spent in lessons:
        annotated = one.annotated
        chosen = weights(annotated)
        started = time.perf_counter()
        extraction = OfflineExtractor(chosen).choose(one.reading)
        ranked = sorted(extraction.claims, key=lambda claim: -claim.features["worth"])
        OfflineScorer(chosen).score([ReadEpisode(annotated.episode, annotated.segments, ranked)])
        run.add(annotated, extraction, ranked, spent + time.perf_counter() - started)
    return run


def chat(place: str, material: Sequence[Annotated]) -> Run:
    """The chat model that the settings name; what was asked before is not asked again."""
    model = settings().llm_model
    run = Run(f"{model}, {place}")
    finder, judge = extractor(settings()), scorer(settings())
    before = _spent(calls(settings()).records())
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        picked = claims_of(EpisodeFile(annotated.episode, annotated.segments), finder, judge)
        spent = time.perf_counter() - started
        run.add(annotated, Extraction(tuple(c for c, _ in picked)), [c for c, _ in picked], spent)
        print(f"[{number}/{len(material)}] {model}: {annotated.slug}", file=sys.stderr)
    after = _spent(calls(settings()).records())
    run.tokens, run.cost = int(after[0] - before[0]), after[1] - before[1]
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
