import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import pytest

from include.claims.chat.drafts import Kind, _publishable
from include.warehouse import data_docs, doors
from include.warehouse.doors import CriticalRuleBroken, pass_door
from include.warehouse.rules import DOORS, HEADLINE_CHARACTERS, INSIGHT_CHARACTERS, KINDS

DAY = date(2026, 1, 15)
QUOTE = "one two three four five six seven"


def episode(number: int, **changes):
    return {
        "episode_id": f"e{number}",
        "partition_date": DAY,
        "feed_url": f"https://feeds.example/{number}",
        "show_id": "s1",
        "show_title": "The Lift",
        "guid": f"guid-{number}",
        "title": "Doors that wait",
        "description": "",
        "published_at": datetime(2026, 1, 15, 23, 59),
        "episode_url": None,
        "audio_url": f"https://audio.example/{number}.mp3",
        "audio_type": "audio/mpeg",
        "duration_seconds": None if number % 2 else 1800,
        "persons": ["Ada Brook"],
        "transcripts": "[]",
        "language": "en",
        "explicit": None,
        "season": None,
        "episode_number": None,
        "chapters_url": None,
        **changes,
    }


def segment(number: int, **changes):
    return {
        "episode_id": f"e{number}",
        "partition_date": DAY,
        "segment_index": number,
        "speaker": None,
        "start_seconds": None if number % 2 else 2.0,
        "end_seconds": 4,
        "text": "Well, the doors were open.",
        **changes,
    }


def claim(number: int, **changes):
    return {
        "claim_id": f"c{number}",
        "episode_id": f"e{number}",
        "partition_date": DAY,
        "quote": QUOTE,
        "headline": "Doors that wait save trips",
        "insight": "Doors that wait four seconds longer save one trip in nine.",
        "speaker": None,
        "first_segment": 3,
        "last_segment": 3,
        "start_seconds": None,
        "kind": "number",
        "features": "{}",
        "extractor": "offline",
        "prompt_version": "1",
        **changes,
    }


def score(number: int, **changes):
    return {
        "claim_id": f"c{number}",
        "partition_date": DAY,
        "scorer": "offline",
        "prompt_version": "1",
        "score": 3 if number % 2 else 3.5,
        "novelty": None,
        "specificity": 5.0,
        "evidence": 0.0,
        "significance": None,
        "reason": "names a number",
        **changes,
    }


ROWS = {"episodes": episode, "segments": segment, "claims": claim, "scores": score}

ROW_RULES = [
    ("episodes", "title_present", {"title": None}),
    ("episodes", "title_present", {"title": " "}),
    ("episodes", "published_at_in_time", {"published_at": None}),
    ("episodes", "published_at_in_time", {"published_at": datetime(1970, 1, 1)}),
    ("episodes", "published_at_in_time", {"published_at": datetime(2026, 1, 16, 0, 1)}),
    ("episodes", "duration_plausible", {"duration_seconds": -1}),
    ("episodes", "duration_plausible", {"duration_seconds": 48 * 3600 + 1}),
    ("episodes", "audio_url_on_the_web", {"audio_url": "file:///etc/passwd"}),
    ("episodes", "episode_url_on_the_web", {"episode_url": "javascript:alert(1)"}),
    ("segments", "text_present", {"text": None}),
    ("segments", "text_present", {"text": " \n"}),
    ("segments", "text_not_endless", {"text": "x" * 500_001}),
    ("segments", "segment_index_counts", {"segment_index": -1}),
    ("segments", "start_plausible", {"start_seconds": -0.5}),
    ("segments", "end_plausible", {"end_seconds": float("inf")}),
    ("segments", "start_before_end", {"start_seconds": 5.0, "end_seconds": 4.5}),
    ("claims", "quote_length", {"quote": None}),
    ("claims", "quote_length", {"quote": "only four words -- here"}),
    ("claims", "quote_length", {"quote": "word " * 151}),
    ("claims", "headline_length", {"headline": None}),
    ("claims", "headline_length", {"headline": "  "}),
    ("claims", "headline_length", {"headline": "x" * (HEADLINE_CHARACTERS[1] + 1)}),
    ("claims", "insight_length", {"insight": None}),
    ("claims", "insight_length", {"insight": "Too short."}),
    ("claims", "insight_length", {"insight": "x" * (INSIGHT_CHARACTERS[1] + 1)}),
    ("claims", "insight_length", {"insight": " " * 30}),
    ("claims", "kind_known", {"kind": "gossip"}),
    ("claims", "kind_known", {"kind": None}),
    ("claims", "first_segment_counts", {"first_segment": -1}),
    ("claims", "first_segment_counts", {"first_segment": None}),
    ("claims", "segments_in_order", {"last_segment": None}),
    ("claims", "segments_in_order", {"first_segment": 4, "last_segment": 3}),
    ("claims", "start_plausible", {"start_seconds": -1.0}),
    ("scores", "score_in_range", {"score": None}),
    ("scores", "score_in_range", {"score": float("nan")}),
    ("scores", "score_in_range", {"score": 5.01}),
    ("scores", "novelty_in_range", {"novelty": -0.1}),
    ("scores", "specificity_in_range", {"specificity": 6}),
    ("scores", "evidence_in_range", {"evidence": 5.5}),
    ("scores", "significance_in_range", {"significance": 50.0}),
    ("scores", "reason_present", {"reason": ""}),
    ("scores", "reason_present", {"reason": None}),
]

CRITICAL_RULES = [
    ("episodes", "key_present", [episode(0), episode(1, episode_id=None)]),
    ("episodes", "key_unique", [episode(0), episode(1, episode_id="e0")]),
    ("episodes", "partition_date_of_run", [episode(0), episode(1, partition_date=date(2026, 1, 14))]),
    ("episodes", "partition_date_of_run", [episode(0), episode(1, partition_date=None)]),
    ("episodes", "columns_present", [{k: v for k, v in episode(0).items() if k != "guid"}]),
    ("episodes", "published_at_in_time", [episode(0, published_at=datetime(2026, 1, 15, tzinfo=UTC))]),
    ("segments", "key_unique", [segment(0), segment(1, episode_id="e0", segment_index=0)]),
    ("segments", "key_present", [segment(0), segment(1, segment_index=None)]),
    ("segments", "columns_present", [{k: v for k, v in segment(0).items() if k != "episode_id"}]),
    ("claims", "key_unique", [claim(0), claim(0)]),
    ("scores", "key_unique", [score(0), score(0, score=1.0)]),
]


@pytest.fixture(scope="module")
def docs(tmp_path_factory):
    return tmp_path_factory.mktemp("data_docs")


def page(docs: Path, door: str, day: date = DAY) -> str:
    (found,) = (docs / "validations" / door / str(day)).rglob("*.html")
    return found.read_text()


@pytest.mark.parametrize("door", DOORS)
def test_sound_rows_pass_as_the_very_objects_that_came(door, docs):
    rows = [ROWS[door](number) for number in range(4)]
    before = [dict(row) for row in rows]

    result = pass_door(door, rows, DAY, docs)

    assert result.set_aside == []
    assert all(passed is row for passed, row in zip(result.passed, rows, strict=True))
    assert rows == before


@pytest.mark.parametrize("door", DOORS)
def test_each_row_that_breaks_a_rule_is_set_aside_by_that_rule_and_the_others_pass(door, docs):
    cases = [(rule, changes) for at, rule, changes in ROW_RULES if at == door]
    bad = [ROWS[door](1000 + number, **changes) for number, (_, changes) in enumerate(cases)]
    good = [ROWS[door](number) for number in range(2 * len(cases) + 1)]

    result = pass_door(door, [*bad, *good], DAY, docs)

    assert result.passed == good
    assert [entry.row for entry in result.set_aside] == bad
    assert [entry.rule for entry in result.set_aside] == [rule for rule, _ in cases]
    for entry, (_, changes) in zip(result.set_aside, cases, strict=True):
        assert ";" in entry.reason
        assert len(entry.reason) < 600
        assert any(column in entry.reason for column in (*changes, *DOORS[door].figures))


def test_every_row_rule_of_every_door_has_a_case_above():
    assert {(door, rule.name) for door in DOORS for rule in DOORS[door].rules} == {case[:2] for case in ROW_RULES}


def test_a_claim_as_long_as_the_limits_allow_passes(docs):
    longest = claim(0, headline="x" * HEADLINE_CHARACTERS[1], insight="x" * INSIGHT_CHARACTERS[1])

    assert pass_door("claims", [longest], DAY, docs).set_aside == []


def test_a_chat_model_is_asked_for_the_kinds_and_kept_to_the_lengths_that_the_door_lets_pass():
    assert set(get_args(Kind)) == set(KINDS)
    assert all(_publishable("x" * headline, "x" * insight) for headline in (1, 200) for insight in (20, 1500))
    assert not _publishable("x" * (HEADLINE_CHARACTERS[1] + 1), "x" * 20)
    assert not _publishable("x", "x" * (INSIGHT_CHARACTERS[1] + 1))
    assert not _publishable("x", "x" * (INSIGHT_CHARACTERS[0] - 1))


def test_the_reason_says_in_plain_words_all_that_was_wrong_with_a_row(docs):
    rows = [claim(0), claim(1, quote="far too short", kind="gossip")]

    (entry,) = pass_door("claims", rows, DAY, docs).set_aside

    assert (entry.row_key, entry.rule, entry.row) == ("c1", "quote_length", rows[1])
    assert entry.reason == (
        "the quote must have 5 to 150 words; quote_words is 3. the kind must be one of fact, number, cause, "
        "prediction, tradeoff, strategy, lesson, opinion; kind is 'gossip'"
    )


@pytest.mark.parametrize(("door", "rule", "rows"), CRITICAL_RULES)
def test_a_batch_that_breaks_a_critical_rule_stops(door, rule, rows, docs):
    with pytest.raises(CriticalRuleBroken) as stop:
        pass_door(door, rows, DAY, docs)

    assert (stop.value.door, stop.value.partition_date, stop.value.rule) == (door, DAY, rule)
    assert f"The {door} of 2026-01-15" in str(stop.value)
    assert rule in page(docs, door)


@pytest.mark.parametrize("door", DOORS)
def test_a_value_of_another_type_stops_the_batch_in_whatever_column_it_is(door, docs):
    strays = {column: {b"stray"} for column in ROWS[door](0)}

    with pytest.raises(CriticalRuleBroken) as stop:
        pass_door(door, [ROWS[door](0), strays], DAY, docs)

    assert all(f"{column}_type" in str(stop.value) for column in strays)


@pytest.mark.parametrize(
    ("door", "column", "near"),
    [
        ("episodes", "published_at", date(2026, 1, 15)),
        ("episodes", "partition_date", "2026-01-15"),
        ("segments", "segment_index", 1.5),
        ("scores", "score", "4"),
    ],
)
def test_a_value_of_a_type_that_is_nearly_right_stops_the_batch_too(door, column, near, docs):
    with pytest.raises(CriticalRuleBroken, match=f"{column} must be of type"):
        pass_door(door, [ROWS[door](0), ROWS[door](1, **{column: near})], DAY, docs)


def test_a_stop_says_which_rows_were_wrong_and_what_to_do(docs):
    with pytest.raises(CriticalRuleBroken) as stop:
        pass_door("claims", [claim(0), claim(7), claim(7)], DAY, docs)

    assert "no two rows must share claim_id, but 2 of 3 rows do not comply (claim_id 'c7' | claim_id 'c7')" in str(
        stop.value
    )
    assert "it gave the same thing twice. Then clear the run of 2026-01-15." in str(stop.value)


def test_a_batch_stops_when_most_of_three_or_more_sources_are_spoilt(docs):
    spoilt = [segment(number, text=" ") for number in range(3)]

    with pytest.raises(CriticalRuleBroken, match=r"3 of 5 sources .*text_present 3 times") as stop:
        pass_door("segments", [*spoilt, segment(3), segment(4)], DAY, docs)

    assert stop.value.rule == "most_sources_sound"


def test_two_spoilt_sources_of_two_are_set_aside_and_stop_nothing(docs):
    result = pass_door("segments", [segment(number, text=" ") for number in range(2)], DAY, docs)

    assert (result.passed, len(result.set_aside)) == ([], 2)


def test_one_feed_with_many_bad_rows_does_not_stop_the_others(docs):
    flood = [episode(100 + number, feed_url="https://bad.example/feed", title="") for number in range(50)]
    rest = [episode(number) for number in range(2)]

    result = pass_door("episodes", [*flood, *rest], DAY, docs)

    assert (result.passed, len(result.set_aside)) == (rest, 50)


def test_no_rows_pass_without_loading_great_expectations_and_leave_no_page(tmp_path):
    script = (
        "import sys, datetime, pathlib; from include.warehouse.doors import pass_door;"
        "print(pass_door('claims', [], datetime.date(2026, 1, 15), pathlib.Path(sys.argv[1])),"
        "{'great_expectations', 'pandas'} & set(sys.modules))"
    )

    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(doors.__file__).parents[2],
    )

    assert said.stdout.strip() == "DoorResult(passed=[], set_aside=[]) set()"
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_a_batch_names_the_broken_rule_and_the_row_and_the_index_links_to_it(tmp_path):
    pass_door("segments", [segment(0), segment(1, text=" ")], DAY, tmp_path)

    assert "text_present: the text must not be empty" in page(tmp_path, "segments")
    assert "e1" in page(tmp_path, "segments")
    assert "Failed" in page(tmp_path, "segments")
    link = "validations/segments/2026-01-15/20260115T000000.000000Z/segments-rows.html"
    index = (tmp_path / "index.html").read_text()
    assert f'<a href="{link}">2026-01-15 segments</a>: rules were broken' in index
    assert (tmp_path / link).is_file()


def test_checking_a_date_again_replaces_its_page_and_other_dates_and_doors_keep_theirs(tmp_path):
    other_day = date(2026, 1, 16)
    pass_door("segments", [segment(0, partition_date=other_day)], other_day, tmp_path)
    pass_door("scores", [score(0)], DAY, tmp_path)
    pass_door("segments", [segment(0), segment(1, text=" ")], DAY, tmp_path)
    pass_door("segments", [segment(0), segment(1)], DAY, tmp_path)

    assert "Failed" not in page(tmp_path, "segments").split("Overview", 2)[2]
    assert len(list((tmp_path / "validations").rglob("*.html"))) == 3
    assert (tmp_path / "index.html").read_text().count(": every rule held") == 3


def test_the_docs_keep_a_bounded_number_of_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(data_docs, "PAGES_KEPT", 2)

    for number in (1, 2, 3):
        day = date(2026, 1, number)
        pass_door("scores", [score(0, partition_date=day)], day, tmp_path)

    kept = ["2026-01-02", "2026-01-03"]
    assert sorted(path.name for path in (tmp_path / "validations" / "scores").iterdir()) == kept
    assert (tmp_path / "index.html").read_text().count("every rule held") == 2


def test_a_check_that_was_killed_while_it_wrote_hinders_no_later_one(tmp_path):
    pass_door("segments", [segment(0)], DAY, tmp_path)
    (written,) = (tmp_path / "validations").rglob("*.html")
    written.write_text(written.read_text()[:60])

    pass_door("scores", [score(0)], DAY, tmp_path)

    index = (tmp_path / "index.html").read_text()
    assert "2026-01-15 segments</a>: the check was interrupted" in index
    assert "2026-01-15 scores</a>: every rule held" in index


def test_markup_in_a_transcript_does_not_become_markup_of_a_page(tmp_path):
    hostile = "<script>alert(1)</script>"
    row = claim(0, claim_id=f"<b>{hostile}", kind=hostile, headline=hostile * 10)

    pass_door("claims", [claim(1), row], DAY, tmp_path)

    assert "alert(1)" in page(tmp_path, "claims")
    assert hostile not in page(tmp_path, "claims")
    assert "<b>" not in page(tmp_path, "claims")


def test_pages_report_to_nobody_who_looks_at_them(tmp_path):
    pass_door("scores", [score(0)], DAY, tmp_path)

    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 3
    assert not [path for path in pages if "<img" in path.read_text() and "web-assets" in path.read_text()]


def test_checking_and_documenting_use_no_network(tmp_path, monkeypatch):
    def refuse(self, address):
        raise AssertionError(f"connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert pass_door("scores", [score(0)], DAY, tmp_path).set_aside == []
