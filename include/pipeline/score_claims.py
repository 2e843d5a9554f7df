"""The steps of the DAG `score_claims`: the claims of a day are scored together, and a chat model, where there is one,
compares the best of them with what is like them."""

from dataclasses import asdict

from include.claims import scoring
from include.claims.claim import Score
from include.claims.scoring import Unscored
from include.pipeline import chosen_models
from include.pipeline.handover import Handover
from include.pipeline.run import BY_HAND, Run, Summary, said
from include.settings import settings
from include.themes import pairs
from include.themes.judge import Comparison, Judged
from include.warehouse.database import open_warehouse

UNSCORED = Handover[list[Unscored]](
    "unscored_claims", list[Unscored], writer="list_unscored_claims", readers=("score_claims_of_day",)
)
SCORES = Handover[list[tuple[str, Score]]](
    "scores", list[tuple[str, Score]], writer="score_claims_of_day", readers=("land_scores",)
)
UNJUDGED = Handover[list[Comparison]](
    "unjudged_pairs", list[Comparison], writer="land_scores", readers=("judge_pairs", "land_verdicts")
)
JUDGED = Handover[list[Judged]]("judged_pairs", list[Judged], writer="judge_pairs", readers=("land_verdicts",))


def list_unscored_claims(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    with open_warehouse() as connection:
        scorer = chosen_models.scorer(settings())
        work = scoring.unscored(connection, run.day, chosen_models.extractor(settings()), scorer)
    UNSCORED.put(run, work)
    return said(claims=sum(len(entry.claim_ids) for entry in work))


def score_claims_of_day(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    work = UNSCORED.get(run)
    scores = scoring.score_all(work, chosen_models.scorer(settings())) if work else []
    SCORES.put(run, scores)
    return said(scored=len(scores))


def land_scores(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    """Lands the day's scores; which claims a chat model is to compare can be said as soon as they are there."""
    run = Run.of(partition_key, run_id)
    scores = SCORES.get(run)
    judge = chosen_models.story_judge(settings())
    unjudged: list[Comparison] = []
    with open_warehouse() as connection:
        landed = scoring.land(connection, run.day, scores, chosen_models.scorer(settings()), settings().data_docs)
        if judge:
            unjudged = pairs.unjudged(connection, run.day, judge, chosen_models.embedding_model(settings()))
    UNJUDGED.put(run, unjudged)
    return said(**asdict(landed), pairs_to_compare=len(unjudged))


def judge_pairs(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    """Has a chat model, where there is one, say which of the day's best claims tell the same story as others."""
    run = Run.of(partition_key, run_id)
    unjudged = UNJUDGED.get(run)
    judge = chosen_models.story_judge(settings())
    judged = judge.judge(unjudged) if judge else []
    JUDGED.put(run, judged)
    return said(pairs=len(unjudged), judged=len(judged))


def land_verdicts(partition_key: str | None, run_id: str = BY_HAND) -> Summary:
    run = Run.of(partition_key, run_id)
    judge = chosen_models.story_judge(settings())
    if judge is None:
        return said(pairs=0, reason="no chat model compares claims: PODCAST_LLM_MODEL is offline")
    unjudged, judged = UNJUDGED.get(run), JUDGED.get(run)
    with open_warehouse() as connection:
        model = chosen_models.embedding_model(settings())
        return said(**pairs.land(connection, run.day, unjudged, judged, judge, model))
