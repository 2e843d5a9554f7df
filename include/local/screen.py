"""What a person sees at the end of `make run`: the five insights, and where everything is."""

import textwrap
from datetime import date

from include.digest.seats import SEATS
from include.settings import Settings
from include.templates import clock
from include.warehouse import publication
from include.warehouse.database import records


def show(day: date, settings: Settings) -> None:
    """Prints the digest of a day and the places of mail, pages and database."""
    with publication.open_copy(settings.published) as connection:
        insights = records(
            connection,
            """
            select top.rank, claims.headline, claims.insight, claims.speaker, claims.start_seconds, claims.listen_url,
                episodes.show_title, episodes.title, top.is_update, top.show_count
            from marts.top_insights as top
            inner join marts.claims as claims on top.claim_id = claims.claim_id
            inner join marts.episodes as episodes on claims.episode_id = episodes.episode_id
            where top.digest_date = $day
            order by top.rank
            """,
            {"day": day},
        )
        (episodes, with_transcript, words) = connection.execute(
            """
            select count(*), count(*) filter (transcript_status = 'ok'), coalesce(sum(word_count), 0)
            from marts.episodes where partition_date = $day
            """,
            {"day": day},
        ).fetchone() or (0, 0, 0)
        mails = records(
            connection,
            "select channel, status, count(*) as n from ops.deliveries where digest_date = $day group by all",
            {"day": day},
        )
    print(f"\nThe best of {day}: {episodes} episodes, {with_transcript} with a transcript, {words:,} words read\n")
    for insight in insights:
        print(_insight(insight))
    if len(insights) < SEATS:
        print(
            f"{len(insights)} insights were worth sending that day.\n" if insights else "Nothing was worth sending.\n"
        )
    sent = ", ".join(f"{mail['n']} {mail['status']} by {mail['channel']}" for mail in mails) or "none"
    print(f"mail       {sent}; outbox: {settings.outbox}")
    print(f"pages      {settings.site / 'index.html'}")
    print(f"database   {settings.published}   (SQL: schema marts)")
    print(f"checks     {settings.data_docs}")


def _insight(insight: dict) -> str:
    who = insight["speaker"] or "someone on the show"
    marks = [f"told by {insight['show_count']} shows"] if insight["show_count"] > 1 else []
    if insight["is_update"]:
        marks.append("update")
    at = "" if insight["start_seconds"] is None else f", at {clock(insight['start_seconds'])}"
    lines = [
        f"{insight['rank']}. {insight['headline']}" + (f"  ({', '.join(marks)})" if marks else ""),
        textwrap.fill(insight["insight"], 100, initial_indent="   ", subsequent_indent="   "),
        f"   {who}, {insight['show_title']}: {insight['title']}{at}",
        f"   {insight['listen_url'] or ''}",
    ]
    return "\n".join(lines) + "\n"
