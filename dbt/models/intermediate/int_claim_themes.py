"""Which theme each claim belongs to, derived in date order, for as long as that says anything else than before."""


def model(dbt, session):
    dbt.config(materialized="incremental", incremental_strategy="replace_days", on_schema_change="append_new_columns")
    from include.themes import grouping
    from include.warehouse import partition
    from include.words import claim_text

    claims, episodes = dbt.ref("stg_claims"), dbt.ref("stg_episodes")
    embeddings, words = dbt.ref("stg_claim_embeddings"), dbt.ref("int_claim_words")
    pairs = (
        dbt.ref("stg_story_pairs")
        .filter("verdict is not null")
        .project("claim_id, other_claim_id, verdict, partition_date")
    )
    known = session.table(str(dbt.this)) if dbt.is_incremental else None

    def described(within):
        """The claims of some days; one that the model in use has not read is compared by its words alone, as one
        without meaning."""
        read = embeddings.filter(within)
        size = read.aggregate("coalesce(max(len(embedding)), 1)").fetchone()[0]
        return (
            claims.filter(within)
            .set_alias("claims")
            .join(read.set_alias("embeddings"), "claims.claim_id = embeddings.claim_id", how="left")
            .join(episodes.filter(within).set_alias("episodes"), "claims.episode_id = episodes.episode_id")
            .join(words.filter(within).set_alias("words"), "claims.claim_id = words.claim_id", how="left")
            .project(
                "claims.claim_id, claims.partition_date, episodes.show_id, claims.episode_id, claims.headline, "
                "claims.insight, coalesce(words.words, []) as words, embeddings.embedding_model, "
                f"coalesce(embeddings.embedding, list_resize([]::float[], {size}, 0::float)) as embedding"
            )
        )

    def derive(days):
        all_of_them = described(days.within(before=grouping.DAYS_REMEMBERED))
        new = all_of_them.filter(days.within()).df()
        new["text"] = [claim_text(*texts) for texts in zip(new["headline"], new["insight"], strict=True)]
        # A pair bears the day of the later claim.
        verdicts = {(one, other): verdict for one, other, verdict, _ in pairs.filter(days.within()).fetchall()}
        settled = None
        if known is not None:
            by = "embedding_model" if "embedding_model" in known.columns else "null as embedding_model"
            grouped = (
                known.filter(days.within(before=grouping.DAYS_REMEMBERED))
                .project(f"claim_id, theme_id, looseness, {by}")
                .set_alias("grouped")
            )
            settled = (
                all_of_them.filter(f"partition_date < date '{days.first}'")
                .set_alias("described")
                .join(grouped, "described.claim_id = grouped.claim_id")
                .project(
                    "described.claim_id, episode_id, partition_date, words, embedding, theme_id, "
                    # How close its neighbours are says nothing of them in another model.
                    "case when grouped.embedding_model <> described.embedding_model then null else looseness end "
                    "as looseness"
                )
                .to_arrow_table()
            )
        themes = grouping.derive(new, settled, verdicts)
        return themes.merge(new[["claim_id", "embedding_model"]].astype("str"), on="claim_id", how="left")

    changed = partition.days_to_derive(dbt.source("raw", "days_to_derive"), dbt)
    return partition.derive_on(derive, changed, known, grouping.DAYS_REMEMBERED)
