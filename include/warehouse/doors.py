"""The four doors into raw: what Python lands is checked by Great Expectations before a table sees it.

A row that breaks a rule of its door is set aside with the reason and the others go on; a batch that breaks a critical
rule stops. What the doors let through, dbt tests from there on; no rule stands in both places. Each batch leaves a page
in the Data Docs.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.warehouse.rules import DISAGREE, DOORS, Door, Rule, rules_of

if TYPE_CHECKING:
    from great_expectations import Checkpoint
    from great_expectations.core import ExpectationSuiteValidationResult

Row = Mapping[str, Any]

FEWEST_SPOILT = 3
"""How many spoilt sources it takes to stop a batch: one or two say more about themselves than about the chain."""

_SHOWN = 200


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
    result, page = _check(door, rows, partition_date, docs)
    breaches = _breaches(result, {rule.name: rule for rule in rules_of(asked)})
    advice = f"Then clear the run of {partition_date}. What was found stands in {page}"
    if stopping := [breach for breach in breaches if breach.rule.critical or breach.error]:
        first = stopping[0].rule
        also = dict.fromkeys(breach.rule.name for breach in stopping if breach.rule is not first)
        wrong = stopping[0].of_batch(asked.key, len(rows)) + (f" Also broken: {', '.join(also)}." if also else "")
        raise CriticalRuleBroken(door, partition_date, first.name, wrong, f"{first.advice} {advice}")
    outcome = _split(asked, rows, breaches)
    if spoilt := _mostly_spoilt(asked, rows, outcome):
        raise CriticalRuleBroken(door, partition_date, "most_sources_sound", spoilt, f"{DISAGREE} {advice}")
    return outcome


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


@functools.cache
def _checkpoint(door: str, docs: Path) -> "Checkpoint":
    """The rules of a door over whatever rows it is given, and the pages of what was found."""
    from great_expectations import Checkpoint, ExpectationSuite, ValidationDefinition, expectations
    from great_expectations.checkpoint import UpdateDataDocsAction

    from include.warehouse import data_docs

    context = data_docs.context(docs)
    suite = ExpectationSuite(
        door,
        expectations=[
            getattr(expectations, kind)(
                **arguments,
                severity="critical" if rule.critical else "warning",
                description=f"{rule.name}: {rule.must}",
                meta={"rule": rule.name},
            )
            for rule in rules_of(DOORS[door])
            for kind, arguments in rule.checks
        ],
    )
    assets = context.data_sources.add_or_update_pandas(door)
    rows = assets.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("rows")
    checked = ValidationDefinition(name=door, data=rows, suite=context.suites.add(suite))
    return context.checkpoints.add(
        Checkpoint(
            name=door,
            validation_definitions=[context.validation_definitions.add(checked)],
            actions=[UpdateDataDocsAction(name="pages")],
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": list(DOORS[door].key),
            },
        )
    )


def _check(
    door: str, rows: Sequence[Row], partition_date: date, docs: Path
) -> "tuple[ExpectationSuiteValidationResult, Path]":
    """What the checks of a door found, and the page that tells it."""
    import pandas as pd
    from great_expectations import RunIdentifier

    figures = DOORS[door].figures.items()
    described = [{**row, **{name: figure(row) for name, figure in figures}} for row in rows]
    outcome = _checkpoint(door, docs).run(
        # Columns of objects, so that no null turns a type.
        batch_parameters={"dataframe": pd.DataFrame(described, dtype=object)},
        expectation_parameters={
            "partition_dates": [partition_date],
            "day_after": datetime.combine(partition_date + timedelta(days=1), time()),
        },
        run_id=RunIdentifier(str(partition_date), datetime.combine(partition_date, time(), UTC)),
    )
    ((batch, result),) = outcome.run_results.items()
    return result, docs.joinpath("validations", *batch.to_tuple()).with_suffix(".html")


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


def _shown(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    return _cut(repr(value) if isinstance(value, str) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
