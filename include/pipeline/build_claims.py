"""The steps of the DAG `build_claims`: transcripts are read for claims. What dbt makes of them is a task of the DAG's
own."""

from dataclasses import asdict

from include.claims import embeddings, extraction
from include.claims.embeddings import Embedded, Unembedded
from include.claims.extraction import Read, ToRead
from include.pipeline import chosen_models
from include.pipeline.handover import Handover
from include.pipeline.run import BY_HAND, Run, Summary, said
from include.settings import settings
from include.warehouse.database import open_warehouse

UNREAD = Handover[list[ToRead]](
    "unread_transcripts", list[ToRead], writer="list_unread_transcripts", readers=("extract_claims",)
)
UNEMBEDDED = Handover[list[Unembedded]](
    "unembedded_claims", list[Unembedded], writer="list_unread_transcripts", readers=("extract_claims",)
)
CLAIMS = Handover[list[Read]]("claims", list[Read], writer="extract_claims", readers=("land_claims",))
EMBEDDED = Handover[list[Embedded]](
    "embedded_claims", list[Embedded], writer="extract_claims", readers=("land_claims",)
)


def list_unread_transcripts(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    with open_warehouse() as connection:
        work = extraction.to_read(connection, run.day, chosen_models.extractor(settings()))
        model, reread = chosen_models.embedding_model(settings()), [entry.episode.episode_id for entry in work]
        unembedded = embeddings.lacking(connection, run.day, model, reread)
    UNREAD.put(run, work)
    UNEMBEDDED.put(run, unembedded)
    return said(unread=len(work), unembedded=len(unembedded))


def extract_claims(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    """Reads the transcripts, and embeds what was found, and what the model in use has not embedded yet."""
    run = Run.of(partition_key, run_id)
    work, unembedded = UNREAD.get(run), UNEMBEDDED.get(run)
    results = extraction.read_all(work, chosen_models.extractor(settings())) if work else []
    CLAIMS.put(run, results)
    unembedded = embeddings.found(results, run.day) + unembedded
    embedded = embeddings.embed(unembedded, chosen_models.encoder(settings())) if unembedded else []
    EMBEDDED.put(run, embedded)
    claims = sum(len(result.claims) for result in results)
    return said(transcripts=len(results), claims=claims, embedded=len(embedded))


def land_claims(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    results, embedded = CLAIMS.get(run), EMBEDDED.get(run)
    with open_warehouse() as connection:
        landed = extraction.land(connection, run.day, results, settings().data_docs)
        newly_embedded = embeddings.land(connection, run.day, embedded)
    return said(**asdict(landed), embedded=newly_embedded)
