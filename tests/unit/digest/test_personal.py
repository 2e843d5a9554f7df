"""A recipient's own digest: their muted shows are left out, their interests come first, and nothing is invented."""

from dataclasses import replace

import numpy as np
import pytest
from invented_days import FULL, SHORT

from include.delivery.mail import compose, html_part
from include.digest.personal import LIFT, Listed, interests_met, pick, read_for
from include.digest.reading import read_digest
from include.digest.recipients import Recipient
from include.models.meaning import claim_encoder

NOBODY_TOLD: frozenset[str] = frozenset()


def encode(texts):
    return claim_encoder().encode(texts)


def listed(number: int, **given) -> Listed:
    claim = Listed(
        claim_id=f"c{number}",
        theme_id=f"t{number}",
        show_id=f"s{number}",
        show_title=f"Show {number}",
        headline="",
        insight="",
        rank=number,
        strength=4.0 - number / 10,
        is_update=False,
        same_story=(),
    )
    return replace(claim, **given)


LINE = [listed(number) for number in range(1, 9)]


def ids(claims: list[Listed]) -> list[str]:
    return [claim.claim_id for claim in claims]


def picked(line=LINE, muted=(), told=NOBODY_TOLD, wanted=frozenset()) -> list[str]:
    return ids(pick(line, frozenset(muted), told, wanted))


def test_a_recipient_without_wishes_gets_exactly_the_days_digest(connection):
    assert read_for(connection, FULL, Recipient("a@x.org"), frozenset({"t1"}), encode) == read_digest(connection, FULL)


def test_a_muted_show_is_replaced_by_the_next_best():
    assert picked(muted=["show 2", "show 4"]) == ["c1", "c3", "c5", "c6", "c7"]


def test_one_story_comes_once_and_from_another_show_where_its_own_is_muted():
    first, second, *rest = LINE
    line = [replace(first, same_story=("c2",)), replace(second, same_story=("c1",)), *rest]
    assert picked(line) == ["c1", "c3", "c4", "c5", "c6"]
    assert picked(line, muted=["show 1"]) == ["c2", "c3", "c4", "c5", "c6"]


def test_no_show_gets_three_seats_whatever_is_muted():
    line = [replace(claim, show_id="one") if claim.rank in (1, 2, 6) else claim for claim in LINE]
    assert picked(line, muted=["show 3"]) == ["c1", "c2", "c4", "c5", "c7"]


def test_an_interest_lifts_a_claim_by_a_point_and_no_further():
    assert picked(wanted=frozenset({"c8"})) == ["c8", "c1", "c2", "c3", "c4"]
    weak = [*LINE[:7], replace(LINE[7], strength=LINE[4].strength - LIFT - 0.01)]
    assert picked(weak, wanted=frozenset({"c8"})) == ["c1", "c2", "c3", "c4", "c5"]


def test_a_theme_that_this_recipient_was_sent_comes_back_only_as_an_update():
    assert picked(told=frozenset({"t1"})) == ["c2", "c3", "c4", "c5", "c6"]
    assert picked([replace(LINE[0], is_update=True), *LINE[1:]], told=frozenset({"t1"}))[0] == "c1"


def test_an_interest_is_met_in_its_words_or_in_its_meaning_and_else_not_at_all():
    line = [
        listed(
            1, insight="Old bus batteries hold up better beside a charger than in a house, where evenings drain them."
        ),
        listed(2, insight="Streets that kept a bakery saw rents rise four percent faster over ten years."),
        listed(3, insight="The Rotterdam yard counts empty boxes every night."),
    ]
    interests = ("electric energy storage", "Bakeries and bread", "rotterdam yards", "football")

    assert interests_met(line, interests, encode) == {
        "c1": "electric energy storage",
        "c2": "Bakeries and bread",
        "c3": "rotterdam yards",
    }
    assert interests_met(line, (), encode) == {}
    assert interests_met([], interests, encode) == {}


def test_the_mail_says_what_a_recipients_wishes_changed(connection):
    reader = Recipient("a@x.org", muted_shows=("harbour  LINES",), interests=("motorway charger",))

    digest = read_for(connection, FULL, reader, NOBODY_TOLD, encode)

    assert [insight.claim_id for insight in digest.insights] == ["c3", "c2", "c4", "c5", "c6"]
    assert [insight.rank for insight in digest.insights] == [1, 2, 3, 4, 5]
    assert digest.insights[0].why.endswith("; close to your interest in motorway charger.")
    assert "interest" not in digest.insights[1].why
    assert digest.insights[4].related == (), "c1, which tells the same, is of the muted show"
    assert digest.for_you == "Chosen for you: what Harbour Lines said is left out, as you asked."


@pytest.mark.parametrize("muted", [(), ("Nobody's Show",)])
def test_wishes_that_change_nothing_leave_the_days_digest(connection, muted):
    reader = Recipient("a@x.org", muted_shows=muted, interests=("opera",))
    assert read_for(connection, SHORT, reader, NOBODY_TOLD, encode) == read_digest(connection, SHORT)


def test_an_insight_of_the_reserve_links_to_its_page(connection):
    reader = Recipient("a@x.org", muted_shows=("Harbour Lines",))
    digest = read_for(connection, FULL, reader, NOBODY_TOLD, encode)
    mail = html_part(compose(digest, reader, "insights@x.org", "https://pods.example"))
    assert "pods.example/insights/c6.html" in mail


def test_one_who_muted_every_show_is_told_so(connection):
    reader = Recipient("a@x.org", muted_shows=("Harbour Lines", "The Second Kettle"))
    digest = read_for(connection, SHORT, reader, NOBODY_TOLD, encode)
    assert digest.insights == ()
    assert digest.note == "Nothing else that was said in the day's episodes stood out."
    assert digest.for_you == "Chosen for you: what Harbour Lines and The Second Kettle said is left out, as you asked."


def test_likeness_is_asked_for_only_where_there_are_interests(connection):
    def never(texts) -> np.ndarray:
        raise AssertionError(texts)

    reader = Recipient("a@x.org", muted_shows=("Harbour Lines",))
    assert len(read_for(connection, FULL, reader, NOBODY_TOLD, never).insights) == 5
