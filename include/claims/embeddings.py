"""The claims' embeddings: each bears the model that made it, and only those of the model in use are compared.

Where another model is set, the runs that follow embed the earlier claims anew, the latest first. Until then these are
compared with new ones by their words alone.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

import duckdb

from include.claims.claim import claim_id
from include.claims.extraction import Read
from include.models.budget import CapReached
from include.warehouse.database import append, noting_changes, records, transaction
from include.words import claim_text

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""How many earlier claims a run embeds anew at most: some three minutes of the bundled model."""

_BATCH = 128


class Embeds(Protocol):
    """A model that embeds texts as unit vectors, float32, shape (len(texts), its size)."""

    name: str

    def encode(self, texts: Sequence[str]) -> "np.ndarray": ...


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A claim that the model in use has not embedded; `text` is its headline and insight."""

    claim_id: str
    partition_date: date
    text: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A claim and what a model made of it: a row of `raw.claim_embeddings`."""

    claim_id: str
    partition_date: date
    model: str
    embedding: tuple[float, ...]


def lacking(
    connection: duckdb.DuckDBPyConnection, day: date, model: str, reread: Sequence[str] = ()
) -> list[Unembedded]:
    """The claims that this model has not embedded: the day's first, then the latest, some thousands at most. Those of
    the episodes `reread` are left out, since they are about to be found anew."""
    rows = records(
        connection,
        """
        select claims.claim_id, claims.partition_date, claims.headline, claims.insight
        from raw.claims as claims
        anti join (select claim_id from raw.claim_embeddings where model = $model) as embedded
            on claims.claim_id = embedded.claim_id
        where not list_contains($reread, claims.episode_id)
        order by claims.partition_date = $day desc, claims.partition_date desc, claims.claim_id
        limit $most
        """,
        {"model": model, "day": day, "reread": list(reread), "most": AT_ONCE},
    )
    return [
        Unembedded(row["claim_id"], row["partition_date"], claim_text(row["headline"], row["insight"])) for row in rows
    ]


def found(results: Sequence[Read], day: date) -> list[Unembedded]:
    """The claims that were found just now."""
    texts = {
        claim_id(result.episode_id, claim.quote): claim_text(claim.headline, claim.insight)
        for result in results
        for claim in reversed(result.claims)
    }
    return [Unembedded(key, day, text) for key, text in texts.items()]


def embed(work: Sequence[Unembedded], model: Embeds) -> list[Embedded]:
    """Embeds claims in the order given, and stops where the day's budget does; a later run goes on from there."""
    embedded: list[Embedded] = []
    for start in range(0, len(work), _BATCH):
        batch = work[start : start + _BATCH]
        try:
            vectors = model.encode([claim.text for claim in batch])
        except CapReached as cap:
            log.warning("%d of %d claims are not embedded by %s: %s", len(work) - start, len(work), model.name, cap)
            break
        embedded += [
            Embedded(claim.claim_id, claim.partition_date, model.name, tuple(map(float, vector)))
            for claim, vector in zip(batch, vectors, strict=True)
        ]
        if len(work) > _BATCH:
            log.info("%d of %d claims embedded", len(embedded), len(work))
    return embedded


def land(connection: duckdb.DuckDBPyConnection, day: date, embedded: Sequence[Embedded]) -> int:
    """Writes the embeddings of claims that are there, in the place of earlier ones of their model, in one transaction;
    says how many. Themes of days before the run's stay as they are, whatever was embedded anew."""
    with transaction(connection), noting_changes(connection, day, "raw.claim_embeddings"):
        keys = [one.claim_id for one in embedded]
        found = "select claim_id from raw.claims where claim_id in (select unnest($claims))"
        there = {row["claim_id"] for row in records(connection, found, {"claims": keys})}
        connection.execute(
            """
            delete from raw.claim_embeddings
            where claim_id in (select unnest($claims)) and model in (select unnest($models))
            """,
            {"claims": keys, "models": sorted({one.model for one in embedded})},
        )
        rows = [asdict(one) for one in embedded if one.claim_id in there]
        append(connection, "raw.claim_embeddings", rows)
    return len(rows)
