"""The steps of the DAG `score_claims`: the claims of a day are scored together."""

from dataclasses import asdict

from include.claims import scoring
from include.claims.claim import Score
from include.claims.scoring import Unscored
from include.models.calls import lay_out, take_in
from include.pipeline import chosen_models
from include.pipeline.handover import Handover
from include.pipeline.run import BY_HAND, Run, Summary, said
from include.settings import settings
from include.warehouse.database import open_warehouse

UNSCORED = Handover[list[Unscored]](
    "unscored_claims", list[Unscored], writer="list_unscored_claims", readers=("score_claims_of_day",)
)
SCORES = Handover[list[tuple[str, Score]]](
    "scores", list[tuple[str, Score]], writer="score_claims_of_day", readers=("land_scores",)
)


def list_unscored_claims(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    with open_warehouse() as connection:
        work = scoring.unscored(
            connection, run.day, chosen_models.extractor(settings()), chosen_models.scorer(settings())
        )
        lay_out(connection, chosen_models.calls(settings()), settings().llm_model, run.day)
    UNSCORED.put(run, work)
    return said(claims=sum(len(entry.claim_ids) for entry in work))


def score_claims_of_day(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    work = UNSCORED.get(run)
    scores = scoring.score_all(work, chosen_models.scorer(settings())) if work else []
    SCORES.put(run, scores)
    return said(scored=len(scores))


def land_scores(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    scores = SCORES.get(run)
    with open_warehouse() as connection:
        take_in(connection, chosen_models.calls(settings()))
        landed = scoring.land(connection, run.day, scores, chosen_models.scorer(settings()), settings().data_docs)
    return said(**asdict(landed))
