"""A show that leaves the list of feeds stops counting, and counts again when it is back; what was told before stays."""

from datetime import date, timedelta

import pytest

from include.warehouse.database import append, open_warehouse, records
from tests import chain
from tests.integration.test_rebuilds import build, tell

TOGETHER, STILL, LEFT, BACK = DAYS = [date(2026, 1, 13) + timedelta(number) for number in range(4)]
LISTED = {TOGETHER: (1, 2), STILL: (1, 2), LEFT: (2,), BACK: (1, 2)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Both shows tell one story each day that they are listed; the first is not on the third day."""
    folder = tmp_path_factory.mktemp("data")
    with chain.environment(folder):
        with open_warehouse() as connection:
            for show in (1, 2):
                append(connection, "raw.feeds", [{"feed_url": f"http://{show}.example", "show_id": f"s{show}"}])
        for day, shows in LISTED.items():
            for show in shows:
                tell(day, show)
                with open_warehouse() as connection:
                    asked = {"feed_url": f"http://{show}.example", "partition_date": day, "status": "ok"}
                    append(connection, "raw.feed_fetches", [asked])
            build(day)
        yield folder


def asked(query: str) -> list[dict]:
    with open_warehouse() as connection:
        return records(connection, query)


def test_it_is_known_when_a_show_was_away(data):
    assert asked("from ops.absent_shows") == [{"show_id": "s1", "left_on": LEFT, "back_on": BACK}]


def test_a_story_counts_only_shows_that_are_on_the_list(data):
    counts = asked(
        """
        select partition_date, max(show_count) as shows
        from intermediate.int_digest_candidates
        group by all
        order by all
        """
    )
    assert [row["shows"] for row in counts] == [2, 2, 1, 2]


def test_what_it_said_is_not_related_to_what_comes_later(data):
    related = asked(
        """
        select related.partition_date as day, count(*) as pairs
        from marts.related_claims as related
        inner join marts.claims as one on related.claim_id = one.claim_id
        inner join marts.claims as other on related.related_claim_id = other.claim_id
        inner join marts.episodes as episode on one.episode_id = episode.episode_id
        inner join marts.episodes as other_episode on other.episode_id = other_episode.episode_id
        where 's1' in (episode.show_id, other_episode.show_id)
        group by all
        order by all
        """
    )
    assert [row["day"] for row in related] == [TOGETHER, STILL, BACK]
