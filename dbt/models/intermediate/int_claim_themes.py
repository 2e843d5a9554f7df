"""Which theme each claim belongs to, derived in date order from the first day of this build on."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="append_new_columns")
    from include.themes import grouping
    from include.warehouse import partition
    from include.words import claim_text

    claims = dbt.ref("stg_claims")
    embeddings = dbt.ref("stg_claim_embeddings")
    episodes = dbt.ref("stg_episodes")
    words = dbt.ref("int_claim_words")
    # A claim that the model in use has not read is compared by its words alone, as one without meaning.
    size = embeddings.aggregate("coalesce(max(len(embedding)), 1)").fetchone()[0]
    embedding = f"coalesce(embeddings.embedding, list_resize([]::float[], {size}, 0::float)) as embedding"
    described = (
        claims.set_alias("claims")
        .join(embeddings.set_alias("embeddings"), "claims.claim_id = embeddings.claim_id", how="left")
        .join(episodes.set_alias("episodes"), "claims.episode_id = episodes.episode_id")
        .join(words.set_alias("words"), "claims.claim_id = words.claim_id", how="left")
        .project(
            "claims.claim_id, claims.partition_date, episodes.show_id, claims.episode_id, "
            "claims.headline, claims.insight, coalesce(words.words, []) as words, embeddings.embedding_model, "
            + embedding
        )
    )
    new, settled = described, None
    if dbt.is_incremental:
        first_day = partition.first_day_to_derive(dbt.source("raw", "days_to_derive"), dbt.this.identifier)
        kept = session.table(str(dbt.this)).filter(f"partition_date < date '{first_day}'")
        by = "embedding_model" if "embedding_model" in kept.columns else "null as embedding_model"
        grouped = kept.project(f"claim_id, theme_id, looseness, {by}").set_alias("grouped")
        known = (
            described.set_alias("described")
            .join(grouped, "described.claim_id = grouped.claim_id", how="left")
            .project(
                "described.*, grouped.theme_id, "
                # How close its neighbours are says nothing of them in another model.
                "case when grouped.embedding_model <> described.embedding_model then null else grouped.looseness end "
                "as looseness"
            )
        )
        new = known.filter("theme_id is null").project("* exclude (theme_id, looseness)")
        settled = known.filter("theme_id is not null").project(
            "claim_id, episode_id, partition_date, words, embedding, theme_id, looseness"
        )
    today = new.df()
    today["text"] = [claim_text(*texts) for texts in zip(today["headline"], today["insight"], strict=True)]
    verdicts = {}
    if len(today):
        # A pair bears the day of the later claim.
        earliest = today["partition_date"].min()
        judged = dbt.ref("stg_story_pairs").filter(f"verdict is not null and partition_date >= '{earliest:%Y-%m-%d}'")
        pairs = judged.project("claim_id, other_claim_id, verdict").fetchall()
        verdicts = {(claim_id, other): verdict for claim_id, other, verdict in pairs}
    themes = grouping.derive(today, None if settled is None else settled.to_arrow_table(), verdicts)
    return themes.merge(today[["claim_id", "embedding_model"]].astype("str"), on="claim_id", how="left")
