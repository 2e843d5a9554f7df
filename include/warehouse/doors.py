"""The four doors into raw: what Python lands is checked by Great Expectations before a table sees it.

A row that breaks a rule of its door is set aside with the reason and the others go on; a batch that breaks a critical
rule stops. What the doors let through, dbt tests from there on; no rule stands in both places. Each batch leaves a page
in the Data Docs.
"""

import functools
import html
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.words import words

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
    from great_expectations.data_context import EphemeralDataContext

Row = Mapping[str, Any]

PAGES_KEPT = 240
"""Batches in the Data Docs, the last checked ones: sixty days of four doors. The index costs 3 ms for each."""

FEWEST_SPOILT = 3
"""How many spoilt sources it takes to stop a batch: one or two say more about themselves than about the chain."""

_DISAGREE = "The step that fills this door and the door's rules in include/warehouse disagree: correct one of them."
_EXAMPLES = 20
_SHOWN = 200
_RESULTS = "stored/validations/*/*/*/*.json"
_REPORTING = re.compile(r"<img[^>]*great-expectations-web-assets[^>]*>")
"""The logo on each page, which the vendor's server hands out and which tells it of every look."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not let through: its key, the first rule that it broke, all that was wrong with it, the row."""

    row_key: str
    rule: str
    reason: str
    row: Row


@dataclass(frozen=True, slots=True)
class DoorResult:
    """The rows of a batch that may go on, the very objects that came, in their order; and those that may not."""

    passed: list[Row]
    set_aside: list[SetAside]


class CriticalRuleBroken(Exception):
    """A batch as a whole is not to be trusted: nothing of it may be landed. The same rows end the same again."""

    def __init__(self, door: str, partition_date: date, rule: str, wrong: str, advice: str):
        super().__init__(
            f"The {door} of {partition_date} were stopped at the door into raw by the critical rule {rule}: {wrong} "
            f"Nothing was landed. {advice}"
        )
        self.door = door
        self.partition_date = partition_date
        self.rule = rule


Check = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in plain words, and the expectations of Great Expectations, with their arguments, that check it."""

    name: str
    must: str
    checks: tuple[Check, ...]
    critical: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """What a door asks of its rows.

    `columns` lists the columns by the Python types that their values may have; null is left to the rules. `source` is
    the column that names where a row came from: a feed, an episode, a claim. `figures` are worked out of a row to be
    checked, not to be landed.
    """

    key: tuple[str, ...]
    source: str
    columns: Mapping[str, str]
    rules: tuple[Rule, ...]
    figures: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)


def pass_door(door: str, rows: Sequence[Row], partition_date: date, docs: Path) -> DoorResult:
    """Which rows of a batch may go on into raw.

    A row is a mapping by column name, as it will be landed. The batch is all that the door gets for the date; its page
    in the Data Docs under `docs` replaces the one of an earlier run. No rows pass at no cost and leave the page as is.

    Raises CriticalRuleBroken where columns are missing or of another type, a key is null or comes twice, a row is of
    another date, a rule cannot be applied, or most sources are spoilt: a source is spoilt when more than half of its
    rows would be set aside, and the batch stops when that is so for more than half of its sources and at least
    FEWEST_SPOILT. Sources are counted, not rows, so that no single feed or transcript, however long, can stop the day.

    Uses no network. Importing Great Expectations costs a process 3 to 8 s of CPU, the rest under 1 s for 1,000 rows.
    """
    if not rows:
        return DoorResult([], [])
    asked = DOORS[door]
    rules = {rule.name: rule for rule in (*_critical_rules(asked), *asked.rules)}
    context = _context(docs)
    suite = _suite(door, rules.values())
    result = _validate(context, suite, _frame(asked, rows), asked.key, partition_date)
    breaches = _breaches(result, rules)
    _publish(context, suite, result, docs, partition_date)
    advice = f"Then clear the run of {partition_date}. What was found stands in {_page(docs, door, partition_date)}"
    if stopping := [breach for breach in breaches if breach.rule.critical or breach.error]:
        first = stopping[0].rule
        also = dict.fromkeys(breach.rule.name for breach in stopping if breach.rule is not first)
        wrong = stopping[0].of_batch(asked.key, len(rows)) + (f" Also broken: {', '.join(also)}." if also else "")
        raise CriticalRuleBroken(door, partition_date, first.name, wrong, f"{first.advice or _DISAGREE} {advice}")
    outcome = _split(asked, rows, breaches)
    if spoilt := _mostly_spoilt(asked, rows, outcome):
        raise CriticalRuleBroken(door, partition_date, "most_sources_sound", spoilt, f"{_DISAGREE} {advice}")
    return outcome


def _rule(name: str, must: str, *checks: Check) -> Rule:
    return Rule(name, must, checks)


def _critical(name: str, must: str, advice: str, *checks: Check) -> Rule:
    return Rule(name, must, checks, critical=True, advice=advice)


def _not_null(column: str) -> Check:
    return "ExpectColumnValuesToNotBeNull", {"column": column}


def _not_blank(column: str) -> Check:
    return "ExpectColumnValuesToMatchRegex", {"column": column, "regex": r"\S"}


def _web_address(column: str) -> Check:
    return "ExpectColumnValuesToMatchRegex", {"column": column, "regex": r"^(?i:https?)://\S+$"}


def _between(column: str, low: Any, high: Any = None) -> Check:
    return "ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high}


def _hours(column: str) -> Check:
    return _between(column, 0, 48 * 3600)


def _characters(column: str, low: int, high: int) -> Check:
    return "ExpectColumnValueLengthsToBeBetween", {"column": column, "min_value": low, "max_value": high}


def _one_of(column: str, values: Any) -> Check:
    return "ExpectColumnValuesToBeInSet", {"column": column, "value_set": values}


def _not_after(first: str, last: str) -> Check:
    pair = {"column_A": last, "column_B": first, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return "ExpectColumnPairValuesAToBeGreaterThanB", pair


_KINDS = ("fact", "number", "cause", "prediction", "tradeoff", "strategy", "lesson", "opinion")
_DATES = {"$PARAMETER": "partition_dates"}
_DAY_AFTER = {"$PARAMETER": "day_after"}

DOORS: Mapping[str, Door] = {
    "episodes": Door(
        key=("episode_id",),
        source="feed_url",
        columns={
            "str": """
                episode_id feed_url show_id show_title guid title description episode_url audio_url audio_type
                transcripts language chapters_url
            """,
            "date": "partition_date",
            "datetime": "published_at",
            "int": "duration_seconds season",
            "float": "episode_number",
            "list": "persons",
            "bool": "explicit",
        },
        rules=(
            _rule("title_present", "the title must not be empty", _not_null("title"), _not_blank("title")),
            _rule(
                "published_at_in_time",
                "the time of publication must lie between 1995 and the end of the day",
                _not_null("published_at"),
                _between("published_at", datetime(1995, 1, 1), _DAY_AFTER),
            ),
            _rule("duration_plausible", "the duration must be 0 to 48 hours", _hours("duration_seconds")),
            _rule("audio_url_on_the_web", "the audio must have an http(s) address", _web_address("audio_url")),
            _rule("episode_url_on_the_web", "the page must have an http(s) address", _web_address("episode_url")),
        ),
    ),
    "segments": Door(
        key=("episode_id", "segment_index"),
        source="episode_id",
        columns={
            "str": "episode_id speaker text",
            "date": "partition_date",
            "int": "segment_index",
            "int float": "start_seconds end_seconds",
        },
        rules=(
            _rule("text_present", "the text must not be empty", _not_null("text"), _not_blank("text")),
            _rule(
                "text_not_endless",
                "the text must have at most 500,000 characters, some eight hours of talk",
                _characters("text", 0, 500_000),
            ),
            _rule("segment_index_counts", "the index must count from 0", _between("segment_index", 0)),
            _rule("start_plausible", "the start must be 0 to 48 hours", _hours("start_seconds")),
            _rule("end_plausible", "the end must be 0 to 48 hours", _hours("end_seconds")),
            _rule(
                "start_before_end",
                "the end must not come before the start",
                _not_after("start_seconds", "end_seconds"),
            ),
        ),
    ),
    "claims": Door(
        key=("claim_id",),
        source="episode_id",
        columns={
            "str": "claim_id episode_id quote headline insight speaker kind features extractor prompt_version",
            "date": "partition_date",
            "int": "first_segment last_segment",
            "int float": "start_seconds",
        },
        figures={"quote_words": lambda row: len(words(str(row.get("quote") or "")))},
        rules=(
            _rule("quote_length", "the quote must have 5 to 150 words", _between("quote_words", 5, 150)),
            _rule(
                "headline_length",
                "the headline must have 1 to 160 characters",
                _not_null("headline"),
                _not_blank("headline"),
                _characters("headline", 1, 160),
            ),
            _rule(
                "insight_length",
                "the insight must have 20 to 1,500 characters",
                _not_null("insight"),
                _not_blank("insight"),
                _characters("insight", 20, 1200),
            ),
            _rule(
                "kind_known",
                f"the kind must be one of {', '.join(_KINDS)}",
                _not_null("kind"),
                _one_of("kind", list(_KINDS)),
            ),
            _rule(
                "first_segment_counts",
                "the first segment must count from 0",
                _not_null("first_segment"),
                _between("first_segment", 0),
            ),
            _rule(
                "segments_in_order",
                "the last segment must not come before the first",
                _not_null("last_segment"),
                _not_after("first_segment", "last_segment"),
            ),
            _rule("start_plausible", "the start must be 0 to 48 hours", _hours("start_seconds")),
        ),
    ),
    "scores": Door(
        key=("claim_id", "scorer", "prompt_version"),
        source="claim_id",
        columns={
            "str": "claim_id scorer prompt_version reason",
            "date": "partition_date",
            "int float": "score novelty specificity evidence significance",
        },
        rules=(
            _rule("score_in_range", "the score must be 0 to 5", _not_null("score"), _between("score", 0, 5)),
            _rule("novelty_in_range", "novelty must be 0 to 5", _between("novelty", 0, 5)),
            _rule("specificity_in_range", "specificity must be 0 to 5", _between("specificity", 0, 5)),
            _rule("evidence_in_range", "evidence must be 0 to 5", _between("evidence", 0, 5)),
            _rule("significance_in_range", "significance must be 0 to 5", _between("significance", 0, 5)),
            _rule("reason_present", "the reason must not be empty", _not_null("reason"), _not_blank("reason")),
        ),
    ),
}


def _critical_rules(door: Door) -> Iterator[Rule]:
    """What every door asks of a batch as a whole."""
    columns = {column: types.split() for types, names in door.columns.items() for column in names.split()}
    key = " and ".join(door.key)
    yield _critical(
        "columns_present",
        f"the batch must have the columns {', '.join(columns)}",
        _DISAGREE,
        ("ExpectTableColumnsToMatchSet", {"column_set": list(columns), "exact_match": False}),
    )
    for column, types in columns.items():
        yield _critical(
            f"{column}_type",
            f"{column} must be of type {' or '.join(types)}",
            _DISAGREE,
            ("ExpectColumnValuesToBeInTypeList", {"column": column, "type_list": types}),
        )
    yield _critical(
        "key_present",
        f"{key} must never be null",
        "Look at the step that fills this door: it gave a row no identity.",
        *map(_not_null, door.key),
    )
    yield _critical(
        "key_unique",
        f"no two rows must share {key}",
        "Look at the step that fills this door: it gave the same thing twice.",
        ("ExpectColumnValuesToBeUnique", {"column": door.key[0]})
        if len(door.key) == 1
        else ("ExpectCompoundColumnsToBeUnique", {"column_list": list(door.key)}),
    )
    yield _critical(
        "partition_date_of_run",
        "every row must be of the date of the run",
        "Rows of another date were handed over: run the whole DAG, not one task.",
        _not_null("partition_date"),
        _one_of("partition_date", _DATES),
    )


@dataclass(frozen=True, slots=True)
class _Breach:
    """One check that failed: the columns it looks at, the offending rows as (column, value), or why it cannot run."""

    rule: Rule
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    missing: Sequence[str] = ()
    error: str = ""

    def of_row(self, row: Mapping[str, Any]) -> str:
        """What is wrong with one of its rows."""
        return f"{self.rule.must}; {', '.join(f'{column} is {_shown(row[column])}' for column in self.columns)}"

    def of_batch(self, key: Sequence[str], total: int) -> str:
        """What is wrong with the batch, with up to three examples."""
        if self.missing:
            return f"{self.rule.must}, but it lacks {', '.join(self.missing)}."
        if self.error:
            return f"{self.rule.must}, but that could not be checked ({self.error})."
        columns = dict.fromkeys((*key, *self.columns))
        examples = ["; ".join(f"{column} {_shown(row[column])}" for column in columns) for row in self.rows[:3]]
        return f"{self.rule.must}, but {len(self.rows)} of {total} rows do not comply ({' | '.join(examples)})."


def _frame(door: Door, rows: Sequence[Row]) -> "pd.DataFrame":
    """The rows and their figures, every value as it came: columns of objects, so that no null turns a type."""
    import pandas as pd

    columns = dict.fromkeys(column for row in rows for column in row)
    values = {column: [row.get(column) for row in rows] for column in columns}
    values |= {name: [figure(row) for row in rows] for name, figure in door.figures.items()}
    return pd.DataFrame({column: pd.Series(entries, dtype=object) for column, entries in values.items()})


@functools.cache
def _context(docs: Path) -> "EphemeralDataContext":
    """A context of this process that keeps suites and results in files under `docs`, and its pages beside them."""
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )

    def folder(name: str) -> dict[str, str]:
        return {
            "class_name": "TupleFilesystemStoreBackend",
            "root_directory": str(docs),
            "base_directory": name,
        }

    config.stores[config.expectations_store_name]["store_backend"] = folder("stored/expectations")
    config.stores[config.validation_results_store_name]["store_backend"] = folder("stored/validations")
    config.data_docs_sites = {
        "doors": {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": folder(""),
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
    }
    return great_expectations.get_context(project_config=config, mode="ephemeral")


def _suite(door: str, rules: Iterable[Rule]) -> "ExpectationSuite":
    from great_expectations import ExpectationSuite, expectations

    return ExpectationSuite(
        door,
        expectations=[
            getattr(expectations, kind)(
                **arguments,
                severity="critical" if rule.critical else "warning",
                description=f"{rule.name}: {rule.must}",
                meta={"rule": rule.name},
            )
            for rule in rules
            for kind, arguments in rule.checks
        ],
    )


def _validate(
    context: "EphemeralDataContext",
    suite: "ExpectationSuite",
    frame: "pd.DataFrame",
    key: Sequence[str],
    partition_date: date,
) -> "ExpectationSuiteValidationResult":
    source = context.data_sources.add_or_update_pandas("landing")
    batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("rows")
    return batch.get_batch({"dataframe": frame}).validate(
        suite,
        expectation_parameters={
            "partition_dates": [partition_date],
            "day_after": datetime.combine(partition_date + timedelta(days=1), time()),
        },
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": list(key)},
    )


def _breaches(result: "ExpectationSuiteValidationResult", rules: Mapping[str, Rule]) -> list[_Breach]:
    """The checks that failed, in the order of the rules."""
    found = []
    for check in result.results:
        if check.success:
            continue
        assert check.expectation_config is not None
        arguments = check.expectation_config.kwargs
        columns = [arguments[name] for name in ("column", "column_B", "column_A") if name in arguments]
        found.append(
            _Breach(
                rules[check.expectation_config.meta["rule"]],
                tuple(columns or arguments.get("column_list", ())),
                check.result.get("unexpected_index_list") or [],
                check.result.get("details", {}).get("mismatched", {}).get("missing", ()),
                _error(check.exception_info),
            )
        )
    order = list(rules)
    return sorted(found, key=lambda breach: order.index(breach.rule.name))


def _error(information: Mapping[str, Any]) -> str:
    """The message of the exception that kept a check from being made; empty where none did."""
    entries = [information] if "raised_exception" in information else information.values()
    return "; ".join(sorted({str(entry["exception_message"]) for entry in entries if entry["raised_exception"]}))


def _split(door: Door, rows: Sequence[Row], breaches: Sequence[_Breach]) -> DoorResult:
    wrongs: dict[tuple, dict[str, str]] = {}
    for breach in breaches:
        for row in breach.rows:
            wrongs.setdefault(_key(door, row), {}).setdefault(breach.rule.name, breach.of_row(row))
    passed = [row for row in rows if _key(door, row) not in wrongs]
    set_aside = [
        SetAside("/".join(map(str, key)), next(iter(wrongs[key])), ". ".join(wrongs[key].values()), row)
        for row in rows
        if (key := _key(door, row)) in wrongs
    ]
    return DoorResult(passed, set_aside)


def _key(door: Door, row: Mapping[str, Any]) -> tuple:
    return tuple(row[column] for column in door.key)


def _mostly_spoilt(door: Door, rows: Sequence[Row], outcome: DoorResult) -> str:
    """What is to be said where most sources are spoilt, else nothing."""
    came = Counter(row.get(door.source) for row in rows)
    lost = Counter(entry.row.get(door.source) for entry in outcome.set_aside)
    spoilt = sorted(str(source) for source, count in lost.items() if count * 2 > came[source])
    if len(spoilt) < FEWEST_SPOILT or len(spoilt) * 2 <= len(came):
        return ""
    rules = Counter(entry.rule for entry in outcome.set_aside)
    often = ", ".join(f"{rule} {count} times" for rule, count in rules.most_common(3))
    return (
        f"{len(outcome.set_aside)} of {len(rows)} rows would be set aside, more than half of the rows of "
        f"{len(spoilt)} of {len(came)} sources ({door.source} {', '.join(spoilt[:3])}); the rules broken: {often}."
    )


def _publish(
    context: "EphemeralDataContext",
    suite: "ExpectationSuite",
    result: "ExpectationSuiteValidationResult",
    docs: Path,
    partition_date: date,
) -> None:
    """Stores the result, cut down to what a page shows, and renders the pages of batch and suite, and the index."""
    from great_expectations import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(str(partition_date), datetime.combine(partition_date, time(), UTC))
    of_suite = ExpectationSuiteIdentifier(suite.name)
    of_batch = ValidationResultIdentifier(of_suite, run, suite.name)
    for check in result.results:
        for bulky in ("unexpected_list", "unexpected_index_query"):
            check.result.pop(bulky, None)
        check.result = _harmless(check.result)
        check.exception_info = _harmless(check.exception_info)
    result.meta["run_id"] = run
    context.suites.add_or_update(suite)
    context.validation_results_store.set(of_batch, result)
    _forget_oldest(docs)
    pages: Any = [of_suite, of_batch]
    context.build_data_docs(resource_identifiers=pages)
    index = docs / "index.html"
    for page in (index, docs / "expectations" / f"{suite.name}.html", _page(docs, suite.name, partition_date)):
        page.write_text(_REPORTING.sub("", page.read_text()))
    index.write_text(index.read_text().replace("<footer>", f"{_links(docs)}<footer>", 1))


def _links(docs: Path) -> str:
    """A plain list of all batches, the last day first: the table of the index needs scripts from the internet."""
    entries = []
    for result in sorted(docs.glob(_RESULTS), key=lambda file: (file.parent.parent.name, file.stem), reverse=True):
        page = result.relative_to(docs / "stored").with_suffix(".html").as_posix()
        entries.append(f'<li><a href="{page}">{result.parent.parent.name} {result.stem}</a>: {_verdict(result)}</li>')
    return f"<ul>{''.join(entries)}</ul>"


def _verdict(result: Path) -> str:
    try:
        return "every rule held" if json.loads(result.read_text())["success"] else "rules were broken"
    except ValueError:
        return "the check was interrupted; run the day again"


def _harmless(value: Any) -> Any:
    """Values from outside as a page may show them: Great Expectations puts them into its HTML as they are."""
    if isinstance(value, Mapping):
        return {name: _harmless(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(entry) for entry in value[:_EXAMPLES]]
    if value is None or isinstance(value, int | float):
        return value
    return html.escape(_cut(str(value)))


def _forget_oldest(docs: Path) -> None:
    """Removes the results that were written before the last PAGES_KEPT, with their pages."""
    results = sorted(docs.glob(_RESULTS), key=lambda file: file.stat().st_mtime, reverse=True)
    for result in results[PAGES_KEPT:]:
        run = result.parent.parent
        shutil.rmtree(run)
        shutil.rmtree(docs / run.relative_to(docs / "stored"), ignore_errors=True)


def _page(docs: Path, door: str, partition_date: date) -> Path:
    return (
        docs / "validations" / door / str(partition_date) / f"{partition_date:%Y%m%d}T000000.000000Z" / f"{door}.html"
    )


def _shown(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    return _cut(repr(value) if isinstance(value, str) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
