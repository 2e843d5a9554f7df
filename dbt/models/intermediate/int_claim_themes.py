"""Which theme each claim belongs to, derived in date order from the first day of this build on."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="append", on_schema_change="append_new_columns")
    from include import themes

    claims = dbt.ref("stg_claims")
    embeddings = dbt.ref("stg_claim_embeddings")
    episodes = dbt.ref("stg_episodes")
    words = dbt.ref("int_claim_words")
    judged = dbt.ref("stg_story_pairs").filter("verdict is not null")

    def said_since(day):
        """What a chat model said of the claims of that day and later ones, of all where there is no day."""
        pairs = judged if day is None or day != day else judged.filter(f"partition_date >= date '{day:%Y-%m-%d}'")
        rows = pairs.project("claim_id, other_claim_id, verdict").fetchall()
        return {(claim_id, other): verdict for claim_id, other, verdict in rows}

    described = (
        claims.set_alias("claims")
        .join(embeddings.set_alias("embeddings"), "claims.claim_id = embeddings.claim_id")
        .join(episodes.set_alias("episodes"), "claims.episode_id = episodes.episode_id")
        .join(words.set_alias("words"), "claims.claim_id = words.claim_id", how="left")
        .project(
            "claims.claim_id, claims.partition_date, episodes.show_id, claims.episode_id, "
            "claims.headline || ' ' || claims.insight as text, coalesce(words.words, []) as words, embeddings.embedding"
        )
    )
    if dbt.is_incremental:
        settled = session.table(str(dbt.this)).project("claim_id, theme_id, looseness").set_alias("settled")
        described = described.set_alias("described")
        known = described.join(settled, "described.claim_id = settled.claim_id", how="left").project(
            "described.*, settled.theme_id, settled.looseness"
        )
        new, old = (
            known.filter("theme_id is null").project("* exclude (theme_id, looseness)"),
            known.filter("theme_id is not null").project(
                "claim_id, episode_id, partition_date, words, embedding, theme_id, looseness"
            ),
        )
        today = new.df()
        return themes.derive(today, old.to_arrow_table(), said_since(today["partition_date"].min()))
    return themes.derive(described.df(), verdicts=said_since(None))
