"""How the last thirty days went, as small charts side by side: a bar a day, on one scale a chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

DAYS = 30
WIDTH, HEIGHT = 10, 46

CHARTS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (
        "Minutes of work",
        "{:.1f}",
        {
            "feeds": "ingest_seconds",
            "transcripts": "transcribe_seconds",
            "claims": "claims_seconds",
            "scores": "scores_seconds",
            "digest": "digest_seconds",
        },
    ),
    ("Hours read", "{:.1f}", {"hours": "hours"}),
    ("Claims", "{:,.0f}", {"kept": "claims", "dropped": "dropped"}),
    ("Dollars", "{:.2f}", {"dollars": "usd"}),
    ("Mails", "{:,.0f}", {"mails": "mails"}),
    ("Feeds failed", "{:,.0f}", {"failed": "feeds_failed"}),
)
"""Name, form of its figures, and the parts that a bar is stacked of, by the columns of `ops.runs`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, `y` from the top."""

    number: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A day, `x` from the left edge; without parts where nothing ran or was noted."""

    day: date
    x: int
    told: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`now` is the figure of the last day, `most` the greatest one."""

    name: str
    now: str
    most: str
    bars: tuple[Bar, ...]


def charts(runs: Sequence[Mapping[str, Any]], last: date) -> tuple[Chart, ...]:
    """The charts of the rows of `ops.runs` for the days up to the last."""
    by_day = {run["partition_date"]: run for run in runs}
    days = [last - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    return tuple(_chart(name, form, parts, by_day, days) for name, form, parts in CHARTS)


def _chart(
    name: str, form: str, parts: Mapping[str, str], by_day: Mapping[date, Mapping[str, Any]], days: Sequence[date]
) -> Chart:
    def figures(day: date) -> list[float]:
        row = by_day.get(day, {})
        return [(row.get(column) or 0) / (60 if column.endswith("_seconds") else 1) for column in parts.values()]

    most = max(sum(figures(day)) for day in days)
    bars = []
    for number, day in enumerate(days):
        found, ground, drawn = figures(day), float(HEIGHT + 1), []
        for place, figure in enumerate(found):
            height = round(figure / most * HEIGHT, 2) if most else 0
            ground = round(ground - height, 2)
            drawn += [Part(place, ground, height)] if height else []
        told = ", ".join(f"{part} {form.format(figure)}" for part, figure in zip(parts, found, strict=True))
        bars.append(Bar(day, number * WIDTH, f"{day}: {told if day in by_day else 'not run'}", tuple(drawn)))
    return Chart(name, form.format(sum(figures(days[-1]))), form.format(most), tuple(bars))
