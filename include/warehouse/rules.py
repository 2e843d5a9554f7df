"""The rules of the four doors into raw, as data: what each door asks of a row, and of a batch as a whole.

A check is an expectation of Great Expectations with its arguments. The limits have names so that who fills a door can
keep to them: what was paid for must not be set aside for its length.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.words import words

QUOTE_WORDS = (5, 150)
HEADLINE_CHARACTERS = (1, 200)
INSIGHT_CHARACTERS = (20, 1500)
KINDS = ("fact", "number", "cause", "prediction", "tradeoff", "strategy", "lesson", "opinion")

DISAGREE = "The step that fills this door and the door's rules in include/warehouse disagree: correct one of them."

Check = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in plain words, and the checks that hold rows to it; a critical one stops the batch."""

    name: str
    must: str
    checks: tuple[Check, ...]
    critical: bool = False
    advice: str = DISAGREE


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
    figures: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)


def rules_of(door: Door) -> Iterator[Rule]:
    """All rules of a door: first what every door asks of a batch as a whole, then the door's own."""
    columns = {column: types.split() for types, names in door.columns.items() for column in names.split()}
    key = " and ".join(door.key)
    everything = ("ExpectTableColumnsToMatchSet", {"column_set": list(columns), "exact_match": False})
    yield _critical("columns_present", f"the batch must have the columns {', '.join(columns)}", DISAGREE, everything)
    for column, types in columns.items():
        of_type = ("ExpectColumnValuesToBeInTypeList", {"column": column, "type_list": types})
        yield _critical(f"{column}_type", f"{column} must be of type {' or '.join(types)}", DISAGREE, of_type)
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
        _one_of("partition_date", {"$PARAMETER": "partition_dates"}),
    )
    yield from door.rules


def _rule(name: str, must: str, *checks: Check) -> Rule:
    return Rule(name, must, checks)


def _critical(name: str, must: str, advice: str, *checks: Check) -> Rule:
    return Rule(name, must, checks, critical=True, advice=advice)


def _not_null(column: str) -> Check:
    return "ExpectColumnValuesToNotBeNull", {"column": column}


def _matches(column: str, pattern: str) -> Check:
    return "ExpectColumnValuesToMatchRegex", {"column": column, "regex": pattern}


def _between(column: str, low: Any, high: Any = None) -> Check:
    return "ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high}


def _characters(column: str, low: int, high: int) -> Check:
    return "ExpectColumnValueLengthsToBeBetween", {"column": column, "min_value": low, "max_value": high}


def _one_of(column: str, values: Any) -> Check:
    return "ExpectColumnValuesToBeInSet", {"column": column, "value_set": values}


def _not_after(first: str, last: str) -> Check:
    pair = {"column_A": last, "column_B": first, "or_equal": True, "ignore_row_if": "either_value_is_missing"}
    return "ExpectColumnPairValuesAToBeGreaterThanB", pair


def _present(column: str) -> tuple[Check, Check]:
    return _not_null(column), _matches(column, r"\S")


def _web_address(what: str, column: str) -> Rule:
    return _rule(f"{column}_on_the_web", f"the {what} must have an http(s) address", _matches(column, _HTTP))


def _hours(what: str, column: str) -> Rule:
    return _rule(f"{what}_plausible", f"the {what} must be 0 to 48 hours", _between(column, 0, 48 * 3600))


def _length(column: str, limits: tuple[int, int]) -> Rule:
    must = f"the {column} must have {limits[0]} to {limits[1]:,} characters"
    return _rule(f"{column}_length", must, *_present(column), _characters(column, *limits))


def _rating(column: str, must: str, *checks: Check) -> Rule:
    return _rule(f"{column}_in_range", must, *checks, _between(column, 0, 5))


_HTTP = r"^(?i:https?)://\S+$"
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
            _rule("title_present", "the title must not be empty", *_present("title")),
            _rule(
                "published_at_in_time",
                "the time of publication must lie between 1995 and the end of the day",
                _not_null("published_at"),
                _between("published_at", datetime(1995, 1, 1), _DAY_AFTER),
            ),
            _hours("duration", "duration_seconds"),
            _web_address("audio", "audio_url"),
            _web_address("page", "episode_url"),
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
            _rule("text_present", "the text must not be empty", *_present("text")),
            _rule(
                "text_not_endless",
                "the text must have at most 500,000 characters, some eight hours of talk",
                _characters("text", 0, 500_000),
            ),
            _rule("segment_index_counts", "the index must count from 0", _between("segment_index", 0)),
            _hours("start", "start_seconds"),
            _hours("end", "end_seconds"),
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
            _rule(
                "quote_length",
                f"the quote must have {QUOTE_WORDS[0]} to {QUOTE_WORDS[1]} words",
                _between("quote_words", *QUOTE_WORDS),
            ),
            _length("headline", HEADLINE_CHARACTERS),
            _length("insight", INSIGHT_CHARACTERS),
            _rule(
                "kind_known",
                f"the kind must be one of {', '.join(KINDS)}",
                _not_null("kind"),
                _one_of("kind", list(KINDS)),
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
            _hours("start", "start_seconds"),
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
            _rating("score", "the score must be 0 to 5", _not_null("score")),
            *(
                _rating(aspect, f"{aspect} must be 0 to 5")
                for aspect in ("novelty", "specificity", "evidence", "significance")
            ),
            _rule("reason_present", "the reason must not be empty", *_present("reason")),
        ),
    ),
}
