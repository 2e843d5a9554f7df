"""Names that a speech model mishears are put right, in its transcripts alone, and again when the dictionary changes."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from include.transcripts import corrections, landing
from include.transcripts.corrections import Rule
from include.transcripts.landing import Transcript
from include.transcripts.segment import Segment
from include.warehouse.database import append, open_warehouse, records

DAY = date(2026, 1, 15)


def corrected(text: str, *rules: Rule, show: str = "Second Opinion") -> str:
    (segment,) = corrections.apply([Segment(3, text, "Anneke", 1.0, 2.0)], show, rules)
    assert (segment.index, segment.speaker, segment.start_seconds, segment.end_seconds) == (3, "Anneke", 1.0, 2.0)
    return segment.text


@pytest.mark.parametrize(
    ("wrong", "right", "heard", "meant"),
    [
        ("Asturby", "Asterby", "The Asturby group, at Asturby's.", "The Asterby group, at Asterby's."),
        ("Asturby", "Asterby", "Asturbyshire and asturby", "Asturbyshire and asturby"),
        ("cooper netties", "Kubernetes", "Cooper Netties. COOPER  netties, too.", "Kubernetes. Kubernetes, too."),
        ("Cooper", "Couper", "A cooper met Cooper.", "A cooper met Couper."),
        ("colour", "color", "Colour and colour", "Color and color"),
        ("c++", "C++", "in c++.", "in C++."),
        ("rust", r"R\1ust \g<0>", "rust", r"R\1ust \g<0>"),
        ("o'malley", "O’Malley", "Mr O'Malley", "Mr O’Malley"),
    ],
)  # fmt: skip
def test_whole_words_are_corrected_in_their_case(wrong: str, right: str, heard: str, meant: str):
    assert corrected(heard, Rule(None, wrong, right)) == meant


def test_a_rule_of_a_show_holds_there_alone_and_goes_first():
    rules = [Rule(None, "anna straw", "Anna Straw"), Rule("second OPINION", "anna straw", "Anneke Straub")]
    assert corrected("with anna straw", *rules) == "with Anneke Straub"
    assert corrected("with anna straw", *rules, show="Headland") == "with Anna Straw"
    assert corrected("with anna straw", rules[1], show="Headland") == "with anna straw"


def test_the_longer_rule_goes_first_and_no_rule_reads_what_another_wrote():
    rules = [Rule(None, "straw", "Straub"), Rule(None, "anna straw", "Anneke straw"), Rule(None, "Straub", "Strauss")]
    assert corrected("anna straw said straw", *rules) == "Anneke straw said Straub"


def dictionary(folder: Path, *lines: str) -> Path:
    file = folder / "corrections.csv"
    file.write_text("\n".join(("show_title,wrong,corrected", *lines)) + "\n", encoding="utf-8")
    return file


def test_a_dictionary_is_read_with_its_commas_and_its_empty_shows(tmp_path):
    rules = corrections.load(dictionary(tmp_path, "Second Opinion,Asturby,Asterby", ',"new  ark, ohio","Newark, Ohio"'))
    assert rules == (Rule("Second Opinion", "Asturby", "Asterby"), Rule(None, "new ark, ohio", "Newark, Ohio"))


def test_the_bundled_dictionary_can_be_read():
    assert Rule("Second Opinion", "Asturby", "Asterby") in corrections.load()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",,Asterby", "line 3"),
        ("Show,Asturby,", "line 3"),
        ("Show,Asturby", "line 3"),
        ("Show,Asturby,Asterby,more", "line 3"),
        ("show,Known,Other", "'Known' is already corrected for show"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, line: str, said: str):
    with pytest.raises(corrections.UnusableDictionary, match=said):
        corrections.load(dictionary(tmp_path, "Show,Known,Right", line))


def test_a_dictionary_with_other_columns_says_which_it_needs(tmp_path):
    file = tmp_path / "corrections.csv"
    file.write_text("wrong,right\na,b\n")
    with pytest.raises(corrections.UnusableDictionary, match="show_title,wrong,corrected"):
        corrections.load(file)


TEXTS = ("In Asturby they counted.", "Nobody else did.")
SEGMENTS = tuple(Segment(n, text, None, float(n), n + 1.0) for n, text in enumerate(TEXTS))
READ = [
    Transcript("heard", "ok", "local", segments=SEGMENTS),
    Transcript("written", "ok", "publisher", segments=SEGMENTS),
]


@pytest.fixture
def warehouse(tmp_path):
    """A warehouse that knows an episode whose transcript was heard and one whose publisher wrote it down."""
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        show = {"partition_date": DAY, "show_title": "Second Opinion"}
        append(connection, "raw.episodes", [{"episode_id": read.episode_id, **show} for read in READ])
        yield connection


@pytest.fixture
def corrected_day(warehouse):
    """The day's two transcripts, landed and corrected by the bundled dictionary."""
    for read in READ:
        row = {"episode_id": read.episode_id, "partition_date": DAY}
        texts = [{**row, "segment_index": s.index, "text": s.text, "start_seconds": s.start_seconds} for s in SEGMENTS]
        append(warehouse, "raw.transcript_segments", texts)
        append(warehouse, "raw.transcripts", [{**row, "source": read.source}])
    assert corrections.correct(warehouse, DAY, corrections.load()) == 1
    return warehouse


def landed(connection) -> dict[str, list[tuple[str, str | None]]]:
    rows = records(
        connection,
        "select episode_id, text, text_as_heard from raw.transcript_segments order by episode_id, segment_index",
    )
    return {
        name: [(row["text"], row["text_as_heard"]) for row in rows if row["episode_id"] == name]
        for name in ("heard", "written")
    }


def content_hash(connection) -> str:
    (row,) = records(connection, "select content_hash from raw.transcripts where episode_id = 'heard'")
    return row["content_hash"]


def test_what_was_heard_lands_corrected_beside_what_was_heard_and_what_was_written_stays(warehouse, tmp_path):
    landing.land(warehouse, DAY, READ, tmp_path / "docs")
    assert landed(warehouse) == {
        "heard": [("In Asterby they counted.", "In Asturby they counted."), ("Nobody else did.", None)],
        "written": [("In Asturby they counted.", None), ("Nobody else did.", None)],
    }


def test_a_changed_dictionary_corrects_a_landed_day_anew_from_what_was_heard(corrected_day):
    before = content_hash(corrected_day)
    assert corrections.correct(corrected_day, DAY, [Rule(None, "Asturby", "New Asterby")]) == 1
    assert landed(corrected_day)["heard"][0] == ("In New Asterby they counted.", "In Asturby they counted.")
    assert content_hash(corrected_day) != before
    assert records(corrected_day, "select word_count from raw.transcripts where episode_id = 'heard'") == [
        {"word_count": 8}
    ]
    assert corrections.correct(corrected_day, DAY, []) == 1
    assert landed(corrected_day)["heard"][0] == ("In Asturby they counted.", None)
    assert landed(corrected_day)["written"][0] == ("In Asturby they counted.", None)


def test_the_same_dictionary_changes_nothing_again(corrected_day):
    before = landed(corrected_day), content_hash(corrected_day)
    assert corrections.correct(corrected_day, DAY, corrections.load()) == 0
    assert (landed(corrected_day), content_hash(corrected_day)) == before


def test_a_warehouse_from_before_the_dictionary_goes_on_working(tmp_path):
    with duckdb.connect(str(tmp_path / "old.duckdb")) as old:
        old.execute("create schema raw")
        old.execute(
            """
            create table raw.transcript_segments (
                episode_id varchar, partition_date date, segment_index integer, speaker varchar,
                start_seconds double, end_seconds double, text varchar
            )
            """
        )
        old.execute(
            "insert into raw.transcript_segments values ('e', $day, 0, null, 0, 1, 'In Asturby.')", {"day": DAY}
        )
    with open_warehouse(tmp_path / "old.duckdb") as connection:
        append(connection, "raw.episodes", [{"episode_id": "e", "partition_date": DAY, "show_title": "Second Opinion"}])
        append(connection, "raw.transcripts", [{"episode_id": "e", "partition_date": DAY, "source": "local"}])
        assert corrections.correct(connection, DAY, corrections.load()) == 1
        assert records(connection, "select text from raw.transcript_segments") == [{"text": "In Asterby."}]
