"""Three invented days as dbt leaves them: a full digest, one with two insights and an update, one with nothing."""

from datetime import date

import duckdb

from include.warehouse.database import append

FULL, SHORT, EMPTY = date(2026, 1, 14), date(2026, 1, 15), date(2026, 1, 16)

MARTS = """
create schema if not exists marts;
create table marts.episodes (
    episode_id varchar, guid varchar, show_id varchar, recording_show_id varchar, show_title varchar,
    title varchar, description varchar, published_at timestamp, partition_date date, episode_url varchar,
    audio_url varchar, duration_seconds integer,
    transcript_status varchar, transcript_source varchar, transcript_error varchar, word_count integer
);
create table marts.claims (
    claim_id varchar, episode_id varchar, partition_date date, headline varchar, insight varchar, quote varchar,
    speaker varchar, start_seconds double, first_segment integer, last_segment integer, listen_url varchar,
    kind varchar, theme_id varchar, score double, score_reason varchar, rank_in_episode integer, extractor varchar,
    scorer varchar, prompt_version varchar
);
create table marts.segments (
    episode_id varchar, segment_index integer, speaker varchar, start_seconds double, text varchar,
    partition_date date
);
create table marts.themes (
    theme_id varchar, label varchar, first_seen_date date, last_seen_date date, claim_count integer,
    show_count integer, first_claim_id varchar
);
create table marts.shortlist (
    digest_date date, rank integer, claim_id varchar, theme_id varchar, score double, strength double,
    is_update boolean, show_count integer, why varchar, news varchar, news_since date, same_story varchar[]
);
create view marts.top_insights as select * from marts.shortlist where rank <= 5;
create table marts.related_claims (
    claim_id varchar, related_claim_id varchar, likeness double, is_same_theme boolean, partition_date date
);
create table marts.theme_dissent (
    theme_id varchar, claim_id varchar, other_claim_id varchar, kind varchar, detail varchar
);
"""

SHOWS = {
    "s1": "Harbour Lines",
    "s2": "The Second Kettle",
    "s3": "Field Notes on Power",
    "s4": "Quiet Machines",
}

# episode, show, title, day, seconds, status
EPISODES = [
    ("e1", "s1", "What a port knows before the market does", FULL, 3720, "ok"),
    ("e2", "s2", "Bread, rent and the four-day bakery", FULL, 2890, "ok"),
    ("e3", "s3", "Batteries by the motorway", FULL, 4105, "ok"),
    ("e4", "s4", "When the lift calls for help", FULL, 3300, "ok"),
    ("e5", "s4", "A bonus without a transcript", FULL, 600, "none"),
    ("e6", "s1", "Empty boxes, part two", SHORT, 3500, "ok"),
    ("e7", "s2", "Rent, again", SHORT, None, "ok"),
]

# claim, episode, theme, headline, insight, quote, speaker, second, score
CLAIMS = [
    ("c1", "e1", "t1", "Empty containers tell of a slump eight weeks early",
     "The Rotterdam yard counts empty boxes every night. When the share of empties leaving passes 31 percent, retail "
     "orders fall about eight weeks later; it has done so in nine of the last ten turns.",
     "Once thirty-one in a hundred boxes leave empty, I ring my brother and tell him to stop ordering.",
     "Marit Oosterhuis", 754.0, 4.6),
    ("c2", "e2", "t2", "A bakery closed on Mondays and sold more bread",
     "Closing one day cut waste from 19 to 6 percent, because regulars bought ahead. Profit rose although a sixth of "
     "the opening hours went.",
     "We shut Mondays for our knees, and the waste bin is what paid for it.", "Tobias Feld", 1312.5, 4.2),
    ("c3", "e3", "t3", "Old bus batteries hold up better beside a charger than in a house",
     "Slow, even draws from a motorway charger age second-life cells by two percent a year, against five in homes, "
     "where winter evenings drain them flat.",
     "A house asks for everything at six o'clock in January. A charger asks politely all day.",
     "Ines Carvalho", 95.0, 4.0),
    ("c4", "e4", "t4", "Most lift alarms are a door that somebody held open",
     "Of 41,000 alarm calls, 68 percent came from doors blocked for more than ninety seconds. Telling the rider so in "
     "one sentence halved the call-outs.",
     "We had been sending an engineer to a rolled-up carpet, twice a week, for eleven years.", None, None, 3.7),
    ("c5", "e3", "t5", "Grid queues are long because nobody pays for standing in them",
     "Seven in ten projects in the queue have no land. A deposit of a month's rent took four hundred of them out in a "
     "spring.",
     "It is a car park where the ticket costs nothing, so people park a dream in it.", "Ines Carvalho", 2710.0, 3.6),
    ("c6", "e2", "t1", "Suppliers saw half-filled lorries before the orders fell",
     "The flour mill's driver noticed half-filled lorries in spring, two months before shops ordered less.",
     "The lorry came half full in April, and by June we knew why.", "Tobias Feld", 2200.0, 3.1),
    ("c7", "e6", "t1", "Rotterdam's empty-box share is back under 31 percent",
     "Three nights in a row the share was 28 percent, the first fall since September.",
     "Twenty-eight, three nights running. I told my brother he may look at the catalogue again.",
     "Marit Oosterhuis", 3671.0, 4.4),
    ("c8", "e7", "t6", "Rents follow the baker, not the other way round",
     "Streets that kept a bakery saw rents rise four percent faster over ten years, so landlords now subsidise ovens.",
     "My landlord lowered the rent so that the smell would stay.", "Tobias Feld", 61.0, 3.9),
]  # fmt: skip

# segment of e1, speaker, text: what was said around the quote of c1
SAID = [
    (40, "Ida Brandt", "Nobody believes a number that a yard tells you. So what did you see? And when did you see it?"),
    (41, "Marit Oosterhuis", "I count boxes. Every night, the empty ones by themselves. Once thirty-one in a hundred "
     "boxes leave empty, I ring"),
    (42, "Marit Oosterhuis", "my brother and tell him to stop ordering. He sells garden chairs. He has never thanked "
     "me."),
    (43, "Ida Brandt", "Chairs. <b>Garden</b> chairs?"),
]  # fmt: skip

# day, rank, claim, is update, shows, why
CHOSEN = [
    (FULL, 1, "c1", False, 2, "the highest score of the day, and two shows tell it"),
    (FULL, 2, "c2", False, 1, "scored 4.2 of 5: a surprising result with figures"),
    (FULL, 3, "c3", False, 1, "scored 4.0 of 5: measured, and against common belief"),
    (FULL, 4, "c4", False, 1, "scored 3.7 of 5: figures for a cheap remedy"),
    (FULL, 5, "c5", False, 1, "scored 3.6 of 5: a cause with a test of it"),
    (SHORT, 1, "c7", True, 2, "an update: the share fell for the first time since September"),
    (SHORT, 2, "c8", False, 1, "scored 3.9 of 5: a cause turned round"),
]


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    days = {episode[0]: episode[3] for episode in EPISODES}
    shows = {episode[0]: episode[1] for episode in EPISODES}
    append(connection, "marts.episodes", [
        {"episode_id": id, "guid": id, "show_id": show, "recording_show_id": show,
         "show_title": SHOWS[show], "title": title,
         "partition_date": day, "episode_url": f"https://pods.example/{show}/{id}",
         "audio_url": f"https://cdn.example/{id}.mp3", "duration_seconds": seconds, "transcript_status": status,
         "transcript_source": "publisher" if status == "ok" else None, "word_count": 9000 if status == "ok" else None}
        for id, show, title, day, seconds, status in EPISODES
    ])  # fmt: skip
    append(connection, "marts.claims", [
        {"claim_id": id, "episode_id": episode, "partition_date": days[episode], "headline": headline,
         "insight": insight, "quote": quote, "speaker": speaker, "start_seconds": second,
         "listen_url": f"https://cdn.example/{episode}.mp3#t={int(second)}" if second is not None
         else f"https://pods.example/{shows[episode]}/{episode}",
         "theme_id": theme, "score": score, "extractor": "openai:gpt-x", "scorer": "openai:gpt-x",
         "first_segment": 41 if id == "c1" else 0, "last_segment": 42 if id == "c1" else 0}
        for id, episode, theme, headline, insight, quote, speaker, second, score in CLAIMS
    ])  # fmt: skip
    append(connection, "marts.segments", [
        {"episode_id": "e1", "partition_date": days["e1"], "segment_index": index, "speaker": speaker, "text": text}
        for index, speaker, text in SAID
    ])  # fmt: skip
    themes: dict[str, list[tuple]] = {}
    for claim in CLAIMS:
        themes.setdefault(claim[2], []).append(claim)
    labels = {"t1": "Empty containers as an early sign"}
    append(connection, "marts.themes", [
        {"theme_id": theme, "label": labels.get(theme, claims[0][3]), "claim_count": len(claims),
         "first_seen_date": min(days[claim[1]] for claim in claims),
         "last_seen_date": max(days[claim[1]] for claim in claims),
         "show_count": len({shows[claim[1]] for claim in claims}), "first_claim_id": claims[0][0]}
        for theme, claims in themes.items()
    ])  # fmt: skip
    by_id = {claim[0]: claim for claim in CLAIMS}
    chosen = [
        {"digest_date": day, "rank": rank, "claim_id": claim, "theme_id": by_id[claim][2], "score": by_id[claim][8],
         "is_update": update, "news": "28 percent" if update else None, "news_since": FULL if update else None,
         "show_count": count, "why": why}
        for day, rank, claim, update, count, why in CHOSEN
    ]  # fmt: skip
    append(connection, "marts.shortlist", [
        {**row, "strength": row["score"], "same_story": {"c1": ["c6"], "c6": ["c1"]}.get(row["claim_id"], [])}
        for row in [*chosen, {**chosen[0], "rank": 6, "claim_id": "c6", "score": 3.1, "why": "scored 3.1 of 5"}]
    ])  # fmt: skip
    append(connection, "raw.feed_fetches", [
        {"feed_url": f"https://pods.example/{show}/feed.xml", "show_title": title, "partition_date": day,
         "status": "ok", "item_count": 5, "episode_count": 1}
        for day in (FULL, SHORT, EMPTY) for show, title in SHOWS.items()
    ])  # fmt: skip
    append(connection, "raw.feed_fetches", [
        {"feed_url": "https://gone.example/feed.xml", "partition_date": FULL, "status": "failed",
         "reason": "the server answered 404"},
    ])  # fmt: skip
    append(connection, "raw.transcripts", [
        {"episode_id": "e5", "partition_date": FULL, "status": "none", "error": "the publisher offers no transcript"},
    ])  # fmt: skip
    append(connection, "raw.llm_calls", [
        {"call_key": "k1", "subject_id": "e1", "task": "extract", "status": "ok", "cost_usd": 0.031},
        {"call_key": "k2", "subject_id": "c2", "task": "score", "status": "ok", "cost_usd": 0.0042},
        {"call_key": "k3", "subject_id": "c3", "task": "score", "status": "skipped_budget", "cost_usd": 0.0,
         "error": "the day's 5 dollars were spent"},
        {"call_key": "k5", "subject_id": "c3", "task": "same_story", "status": "skipped_budget", "cost_usd": 0.0,
         "error": "the day's 5 dollars were spent"},
        {"call_key": "k4", "subject_id": "e6", "task": "extract", "status": "ok", "cost_usd": 0.5},
    ])  # fmt: skip
    append(connection, "ops.dropped_claims", [
        {"episode_id": "e3", "partition_date": FULL, "quote": quote, "reason": reason}
        for quote, reason in (
            ("", "skipped_budget"), ("", "skipped_budget"), ("Nobody said so.", "quote_not_found"),
            ("Use the code GRID.", "advertisement"),
        )
    ])  # fmt: skip
    append(connection, "ops.rejected_rows", [
        {"door": "episodes", "partition_date": FULL, "row_key": "e0", "rule": "title", "reason": "the title is empty"},
    ])  # fmt: skip
