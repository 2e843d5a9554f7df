# /// script
# requires-python = ">=3.11"
# dependencies = ["altair", "duckdb==1.5.5", "marimo", "pandas", "pyarrow"]
# ///
"""A theme over time, from the analysts' copy: `marimo edit notebooks/themes.py` (docs/analysts.md says how)."""

import marimo

app = marimo.App(width="medium", app_title="Themes over time")


@app.cell
def _():
    import os
    from pathlib import Path

    import altair as alt
    import duckdb
    import marimo as mo

    data = Path(os.environ.get("PODCAST_DATA_DIR") or Path(__file__).parents[1] / "data")
    copy = duckdb.connect(str(data / "published" / "podcasts.duckdb"), read_only=True)
    return alt, copy, mo


@app.cell
def _(copy, mo):
    themes = copy.sql(
        """
        select theme_id, left(label, 70) || ' (' || show_count || ' shows)' as name
        from marts.themes
        order by show_count desc, last_seen_date > first_seen_date desc, claim_count desc, theme_id
        limit 50
        """
    ).fetchall()
    theme = mo.ui.dropdown({name: theme_id for theme_id, name in themes}, value=themes[0][1], label="Theme")
    mo.vstack([mo.md("# A theme over time"), theme])
    return (theme,)


@app.cell
def _(alt, copy, mo, theme):
    told = copy.execute(
        """
        select
            cast(claims.partition_date as timestamp) as day, episodes.show_title as show, claims.speaker,
            claims.headline, claims.score, claims.listen_url
        from marts.claims as claims
        join marts.episodes as episodes using (episode_id)
        where claims.theme_id = $theme
        order by claims.partition_date, claims.score desc
        """,
        {"theme": theme.value},
    ).df()
    chart = (
        alt.Chart(told, title="Claims a day, by show")
        .mark_bar(size=24)
        .encode(
            x=alt.X(
                "day:T", title=None, scale=alt.Scale(padding=20), axis=alt.Axis(format="%-d %b", tickMinStep=86_400_000)
            ),
            y=alt.Y("count()", title="claims", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("show:N", title="Show"),
            tooltip=["show", "speaker", "headline", "score"],
        )
        .properties(width="container", height=200)
    )
    mo.vstack([mo.ui.altair_chart(chart), mo.ui.table(told, selection=None)])
    return


@app.cell
def _(alt, copy, mo):
    widest = copy.sql(
        """
        with widest as (from marts.themes order by show_count desc, claim_count desc, theme_id limit 12)
        select
            left(widest.label, 60) as theme, cast(claims.partition_date as timestamp) as day, count(*) as claims,
            count(distinct episodes.show_id) as shows
        from widest
        join marts.claims as claims using (theme_id)
        join marts.episodes as episodes using (episode_id)
        group by all
        """
    ).df()
    overview = (
        alt.Chart(widest, title="The themes of most shows, a circle a day")
        .mark_circle()
        .encode(
            x=alt.X(
                "day:T", title=None, scale=alt.Scale(padding=20), axis=alt.Axis(format="%-d %b", tickMinStep=86_400_000)
            ),
            y=alt.Y("theme:N", title=None, sort="-size", axis=alt.Axis(labelLimit=320)),
            size=alt.Size("claims:Q", title="claims"),
            color=alt.Color("shows:O", title="shows that day"),
            tooltip=["theme", "claims", "shows"],
        )
        .properties(width="container")
    )
    mo.ui.altair_chart(overview)
    return


if __name__ == "__main__":
    app.run()
