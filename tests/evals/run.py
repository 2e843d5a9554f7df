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

from include.claim_files import EpisodeFile, claims_of
from include.claims.claim import Claim, Extraction, ReadEpisode
from include.claims.models import OFFLINE, extractor, scorer
from include.claims.offline import OfflineExtractor, OfflineScorer, Weights, fitted
from include.settings import settings
from tests.evals.fit_offline import Lesson, by_show, graded_lessons, lesson
from tests.evals.material import Annotated, bundled_gold, shared_gold
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
        means = [f"{statistics.fmean(f[name] for f in self.figures):.3f}" for name in MEASURES]
        dropped = ", ".join(f"{reason} {n}" for reason, n in sorted(self.dropped.items())) or "0"
        cells = [
            self.title, str(len(self.figures)), *means, f"{self.claims / max(1e-9, self.hours):.0f}", dropped,
            str(self.tokens), f"{self.cost:.2f}", f"{self.seconds / max(1, self.words) * 10_000:.1f}",
        ]  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def main() -> int:
    print("| " + " | ".join(COLUMNS) + " |")
    print("| --- |" + " ---: |" * (len(COLUMNS) - 1), flush=True)
    for place, material in (("real episodes", shared_gold()), ("bundled sample", bundled_gold())):
        if not material:
            print(f"No annotated {place} here.", file=sys.stderr)
            continue
        for run in runs(place, material):
            print(run.row(), flush=True)
    return 0


def runs(place: str, material: Sequence[Annotated]) -> Iterator[Run]:
    """The rows for one body of episodes."""
    lessons, seconds = [], []
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        lessons.append(lesson(annotated))
        seconds.append(time.perf_counter() - started)
        print(f"[{number}/{len(material)}] {annotated.slug}", file=sys.stderr)
    if place == "real episodes":
        unseen = by_show([*lessons, *graded_lessons()])
        yield offline(
            "offline, real episodes, each show by weights fitted on the others",
            lessons, seconds, lambda a: unseen[a.show],
        )  # fmt: skip
        yield offline("offline, real episodes, shipped weights (fitted on these)", lessons, seconds, lambda _: fitted())
    else:
        yield offline(f"offline, {place}, shipped weights", lessons, seconds, lambda _: fitted())
    if settings().llm_model != OFFLINE:
        yield chat(place, material)


def offline(
    title: str, lessons: Sequence[Lesson], seconds: Sequence[float], weights: Callable[[Annotated], Weights]
) -> Run:
    """The offline model with the weights that an episode is to be judged by."""
    run = Run(title)
    for one, spent in zip(lessons, seconds, strict=True):
        if (annotated := one.annotated) is None:
            continue
        chosen = weights(annotated)
        started = time.perf_counter()
        extraction = OfflineExtractor(chosen).choose(one.reading)
        read = ReadEpisode(annotated.episode, annotated.segments, extraction.claims)
        (scores,) = OfflineScorer(chosen).score([read])
        order = sorted(range(len(scores)), key=lambda i: (-extraction.claims[i].features["worth"], i))
        spent += time.perf_counter() - started
        run.add(annotated, extraction, [extraction.claims[i] for i in order], spent)
    return run


def chat(place: str, material: Sequence[Annotated]) -> Run:
    """The chat model that the settings name; what was asked before is not asked again."""
    from include.chat import CallStore

    model = settings().llm_model
    run = Run(f"{model}, {place}")
    finder, judge = extractor(settings()), scorer(settings())
    before = _spent(CallStore(settings().landing / "llm_calls").records())
    for number, annotated in enumerate(material, 1):
        started = time.perf_counter()
        picked = claims_of(EpisodeFile(annotated.episode, annotated.segments), finder, judge)
        spent = time.perf_counter() - started
        run.add(annotated, Extraction(tuple(c for c, _ in picked)), [c for c, _ in picked], spent)
        print(f"[{number}/{len(material)}] {model}: {annotated.slug}", file=sys.stderr)
    after = _spent(CallStore(settings().landing / "llm_calls").records())
    run.tokens, run.cost = int(after[0] - before[0]), after[1] - before[1]
    return run


def _spent(calls: Sequence[dict]) -> tuple[float, float]:
    return (
        sum((c["input_tokens"] or 0) + (c["output_tokens"] or 0) for c in calls),
        sum(c["cost_usd"] or 0.0 for c in calls),
    )


if __name__ == "__main__":
    sys.exit(main())
