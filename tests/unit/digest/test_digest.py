"""What a digest says is what the tables hold, made safe to show."""

from datetime import date, timedelta

import pytest
from invented_days import EMPTY, FULL, SHORT

from include.digest.reading import digest_dates, read_digest
from include.digest.shown import one_line, web_address
from include.warehouse.database import append


def test_a_full_day_has_its_insights_in_order_with_their_sources(connection):
    digest = read_digest(connection, FULL)

    assert [insight.claim_id for insight in digest.insights] == ["c1", "c2", "c3", "c4", "c5"]
    first = digest.insights[0]
    assert (first.speaker, first.show_title, first.start_seconds) == ("Marit Oosterhuis", "Harbour Lines", 754.0)
    assert first.why == "the highest score of the day, and two shows tell it"
    assert digest.note is None


def test_what_was_read_is_counted_by_episodes_that_have_a_transcript(connection):
    digest = read_digest(connection, FULL)

    assert (digest.shows_read, digest.episodes_read, digest.feeds_checked) == (4, 4, 5)
    assert digest.seconds_read == 3720 + 2890 + 4105 + 3300


def test_the_length_of_an_episode_that_bears_none_is_estimated_from_its_words(connection):
    full, short = read_digest(connection, FULL), read_digest(connection, SHORT)

    assert not full.length_is_estimated
    assert short.length_is_estimated
    assert short.seconds_read == pytest.approx(3500 + 9000 * 60 / 170, abs=1)


def test_the_cost_is_that_of_the_days_own_episodes_and_claims(connection):
    assert read_digest(connection, FULL).cost_usd == pytest.approx(0.0352)
    assert read_digest(connection, SHORT).cost_usd == pytest.approx(0.5)


def test_what_failed_is_named_with_its_reason(connection):
    left_out = {left.what: left.reason for left in read_digest(connection, FULL).left_out}

    assert left_out == {
        "gone.example": "the server answered 404",
        "Quiet Machines: A bonus without a transcript": "the publisher offers no transcript",
        "Field Notes on Power: Batteries by the motorway": "2 parts not read, as the budget was spent",
        "1 claim": "the transcript does not bear them out",
        "1 claim not rated": "the day's 5 dollars were spent",
        "1 claim not compared with all that is like it": "the day's 5 dollars were spent",
        "1 episode": "the title is empty",
    }


def test_all_claims_that_a_question_asked_to_rate_are_counted_where_nobody_answered(connection):
    connection.execute("update marts.claims set score = null where claim_id in ('c2', 'c3', 'c4')")

    assert "3 claims not rated" in {left.what for left in read_digest(connection, FULL).left_out}


def test_a_feed_that_fails_for_a_week_is_named_with_the_day_since_when(connection):
    def fetched(days_before: int, status: str) -> dict:
        return {
            "feed_url": "https://gone.example/feed.xml",
            "partition_date": FULL - timedelta(days=days_before),
            "status": status,
        }

    append(connection, "raw.feed_fetches", [fetched(days, "failed") for days in (1, 2, 3, 5, 8)])
    append(connection, "raw.feed_fetches", [fetched(6, "ok")])
    reasons = [left.reason for left in read_digest(connection, FULL).left_out if left.what.startswith("gone.example")]
    assert reasons == ["the server answered 404"]

    connection.execute("delete from raw.feed_fetches where status = 'ok' and feed_url like '%gone%'")

    reasons = [left.reason for left in read_digest(connection, FULL).left_out if left.what.startswith("gone.example")]
    assert reasons == ["the server answered 404; failing since 6 January 2026"]


@pytest.mark.parametrize(
    ("reasons", "in_short"),
    [
        ("gives numbers (10, 1,100); says why; dense wording", "gives numbers (10, 1,100); says why"),
        ("says why; sets one thing against another; names things (CPU)", "says why; sets one thing against another"),
        ("names things (Kubernetes, DigitalOcean, Hetzner, Fastly)", None),
        ("says why", None),
    ],
)
def test_a_long_why_is_told_in_short_by_leaving_out_the_last_reason(connection, reasons, in_short):
    why = "Scored 2.8 of 5 ({}); told by 3 shows so far."
    connection.execute("update marts.shortlist set why = $w", {"w": why.format(reasons)})

    first = read_digest(connection, FULL).insights[0]

    assert first.why_in_short == why.format(in_short or reasons)
    assert first.why == why.format(reasons)


def test_an_episode_whose_audio_was_left_out_says_so_once_with_the_last_try_of_each_source(connection):
    for source, tries, status, error in (
        ("assemblyai", 1, "failed", "AssemblyAI could not transcribe it: silent"),
        ("assemblyai", 2, "skipped_budget", "left out: too few dollars"),
        ("local", 1, "skipped_budget", "left out: too few hours"),
    ):
        job = {"job_key": f"{source}{tries}", "episode_id": "e5", "source": source, "try_number": tries}
        append(connection, "raw.transcription_jobs", [{**job, "status": status, "error": error}])
    told = [left.reason for left in read_digest(connection, FULL).left_out if "bonus" in left.what]

    assert told == ["left out: too few dollars; left out: too few hours"]


def test_what_a_show_said_that_has_left_the_list_is_not_related_from_then_on(connection):
    feeds = {"s1": "http://one.example", "s2": "http://two.example"}
    append(connection, "raw.feeds", [{"feed_url": url, "show_id": show} for show, url in feeds.items()])
    asked = [(FULL, "s1"), (FULL, "s2"), (SHORT, "s1")]
    rows = [{"feed_url": feeds[show], "partition_date": day, "status": "ok"} for day, show in asked]
    append(connection, "raw.feed_fetches", rows)

    assert [said.claim_id for said in read_digest(connection, FULL).insights[0].related] == ["c6"]
    assert read_digest(connection, SHORT).insights[0].related == ()


def test_related_insights_come_from_other_shows_and_from_no_later_day(connection):
    full, short = read_digest(connection, FULL), read_digest(connection, SHORT)

    assert [other.claim_id for other in full.insights[0].related] == ["c6"]
    assert [other.show_title for other in short.insights[0].related] == ["The Second Kettle"]
    assert full.insights[1].related == ()


def test_each_other_show_is_named_once_and_three_at_most(connection):
    for number in range(6):
        append(connection, "marts.episodes", [
            {"episode_id": f"x{number}", "show_id": f"x{number}", "recording_show_id": f"x{number}",
             "show_title": f"Show {number}", "title": "Boxes", "partition_date": FULL},
        ])  # fmt: skip
        append(connection, "marts.claims", [
            {"claim_id": f"x{number}{twin}", "episode_id": f"x{number}", "partition_date": FULL, "theme_id": "t1",
             "headline": "Boxes", "insight": "Boxes.", "quote": f"Show {number} counts its boxes.",
             "score": number / 10 + twin}
            for twin in (0, 1)
        ])  # fmt: skip

    related = read_digest(connection, FULL).insights[0].related

    assert [other.claim_id for other in related] == ["c6", "x51", "x41"]


def test_a_recording_that_another_show_publishes_as_well_is_not_told_as_what_it_says(connection):
    quote = connection.sql("select quote from marts.claims where claim_id = 'c1'").fetchone()[0]
    append(connection, "marts.episodes", [
        {"episode_id": "again", "show_id": "sister", "recording_show_id": "sister",
         "show_title": "The Sister", "title": "From a friend", "partition_date": FULL},
    ])  # fmt: skip
    append(connection, "marts.claims", [
        {"claim_id": "copy", "episode_id": "again", "partition_date": FULL, "theme_id": "t1",
         "headline": "Boxes", "insight": "Boxes.", "quote": quote.upper(), "score": 5.0}
    ])  # fmt: skip

    assert [other.claim_id for other in read_digest(connection, FULL).insights[0].related] == ["c6"]


def test_another_part_of_a_recording_that_two_shows_publish_is_not_what_the_other_says(connection):
    connection.execute("update marts.episodes set recording_show_id = 's1' where episode_id = 'e2'")

    assert read_digest(connection, FULL).insights[0].related == ()


def test_what_comes_close_makes_three_with_what_tells_the_same(connection):
    connection.execute(
        """
        insert into marts.related_claims (claim_id, related_claim_id, likeness)
        from (values
            ('c1', 'x0', 0.51), ('c1', 'x1', 0.71), ('c1', 'x2', 0.61), ('c1', 'x3', 0.81), ('c1', 'later', 0.9),
            ('c1', 'c6', 0.95)
        )
        """
    )
    for number in (0, 1, 2, 3, 6):
        append(connection, "marts.episodes", [
            {"episode_id": f"x{number}", "show_id": f"x{number}", "recording_show_id": f"x{number}",
             "show_title": f"Show {number}", "title": "Boxes", "partition_date": FULL},
        ])  # fmt: skip
    for claim_id, number, day in (("x0", 0, 0), ("x1", 1, 0), ("x2", 1, 0), ("x3", 3, 0), ("later", 6, 1)):
        append(connection, "marts.claims", [
            {"claim_id": claim_id, "episode_id": f"x{number}", "partition_date": FULL + timedelta(days=day),
             "theme_id": f"t{claim_id}", "headline": "Boxes", "insight": "Boxes.", "quote": f"The boxes of {claim_id}."}
        ])  # fmt: skip

    first = read_digest(connection, FULL).insights[0]

    assert [other.claim_id for other in first.related] == ["c6"]
    assert [other.claim_id for other in first.close] == ["x3", "x1"]


def test_a_day_with_less_than_five_says_so(connection):
    assert read_digest(connection, SHORT).note == (
        "Only two insights stood out on this day; nothing was added to fill the list."
    )
    assert "no insights" in read_digest(connection, EMPTY).note


def test_a_day_that_was_never_run_is_an_error(connection):
    with pytest.raises(LookupError, match="2025-12-31"):
        read_digest(connection, date(2025, 12, 31))


def test_a_chosen_claim_that_is_gone_is_an_error_and_not_a_gap(connection):
    connection.execute("delete from marts.claims where claim_id = 'c3'")

    with pytest.raises(LookupError, match="c3"):
        read_digest(connection, FULL)


def test_days_without_insights_count_as_digests_too(connection):
    assert digest_dates(connection) == [FULL, SHORT, EMPTY]


def test_who_made_it_is_said_in_words(connection):
    connection.execute("update marts.claims set extractor = 'offline', scorer = 'offline'")

    assert read_digest(connection, FULL).models == (
        "insights by the bundled model",
        "scores by the bundled model",
        "transcripts by the publishers",
    )
    assert read_digest(connection, EMPTY).models == ()


def test_an_insight_that_only_repeats_the_quote_is_not_shown_twice(connection):
    more = " That was in the ninth week of a long dull winter."
    connection.execute("update marts.claims set insight = quote || $more where claim_id = 'c1'", {"more": more})
    connection.execute("update marts.claims set insight = upper(quote) || ' Indeed.' where claim_id = 'c2'")

    first, second, third = read_digest(connection, FULL).insights[:3]

    assert (first.summary is None, first.quotation is None) == (False, True)
    assert (second.summary is None, second.quotation is None) == (True, False)
    assert (third.summary is None, third.quotation is None) == (False, False)


def test_a_quotation_is_shown_as_it_reads_and_kept_as_it_was_said(connection):
    connection.execute(
        "update marts.claims set extractor = 'offline', quote = 'And, um, ' || insight where claim_id = 'c1'"
    )

    said = read_digest(connection, FULL).insights[0]

    assert (said.summary, said.quotation) == (None, said.insight)
    assert said.verbatim == f"And, um, {said.insight}"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/x",
        "https://",
        "http://[broken",
        "https://a.example/\r\nBcc: x",
        "https://a.example/" + "x" * 3000,
        "",
        None,
    ],
)
def test_what_is_no_web_address_is_never_a_link(address):
    assert web_address(address) is None


def test_texts_are_single_lines_without_hidden_characters():
    assert one_line("a\r\nBcc: b\u202egnp\x00.\u2028c \ud800") == "a Bcc: b gnp . c"
    assert one_line(None) == ""
    assert one_line("abcdef", 4) == "abc…"
