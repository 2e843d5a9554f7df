"""Themes of claims in a file, by the pipeline's own grouping, without Airflow: `make themes IN=FILE OUT=FILE`.

IN holds one JSON object a line with id and text (show is allowed, and not needed); OUT gets one with id and theme a
line, in the same order. Where PODCAST_LLM_MODEL names a chat model, it is asked which of the likest claims tell the
same story.
"""

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from include.models.meaning import claim_encoder
from include.models.questions import UnusableModel
from include.pipeline.chosen_models import story_judge
from include.settings import settings
from include.themes.grouping import Claims, Verdicts, assign
from include.themes.judge import Comparison, StoryJudge
from include.themes.pairs import Candidate, comparisons, likest_pairs
from include.themes.rare_words import rare_words


def main(arguments: list[str]) -> int:
    """Writes OUT and returns 0; returns 2, with what is wrong on stderr, where IN cannot be read or a chat model
    is set that cannot be used."""
    if len(arguments) != 2 or not all(arguments):
        print(
            "Say which file to read and which to write: make themes IN=claims.jsonl OUT=themes.jsonl", file=sys.stderr
        )
        return 2
    source, target = map(Path, arguments)
    try:
        rows = read(source)
    except (OSError, ValueError) as problem:
        print(f"Cannot read the claims: {problem}", file=sys.stderr)
        return 2
    judge = story_judge(settings())
    try:
        themes = group([row["id"] for row in rows], [row["text"] for row in rows], judge)
    except UnusableModel as problem:
        print(problem, file=sys.stderr)
        return 2
    lines = [json.dumps({"id": row["id"], "theme": theme}) for row, theme in zip(rows, themes, strict=True)]
    target.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    print(f"{len(rows)} claims in {len(set(themes))} themes: {target}")
    return 0


def read(source: Path) -> list[dict[str, str]]:
    """One claim a line. Raises ValueError that names the line where an object with id and text is missing, or an id
    occurs twice."""
    rows, seen = [], set()
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as problem:
            raise ValueError(f"{source}, line {number}: not JSON ({problem})") from problem
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in ("id", "text")):
            raise ValueError(f"{source}, line {number}: wants an object with the texts `id` and `text`")
        if row["id"] in seen:
            raise ValueError(f"{source}, line {number}: the id {row['id']} occurs twice")
        seen.add(row["id"])
        rows.append(row)
    return rows


def group(ids: Sequence[str], texts: Sequence[str], judge: StoryJudge | None = None) -> list[str]:
    """The theme of each text, all taken as claims of one date. The id of a theme is "t" and the smallest of its ids.
    A judge is asked about the likest of them."""
    if not ids:
        return []
    embeddings = claim_encoder().encode(texts)
    # An id of any form may follow the letter that a claim's id begins with.
    claims = Claims(["c" + one for one in ids], texts, [rare_words(text) for text in texts], embeddings)
    verdicts = _judged(claims, judge) if judge else None
    return assign(claims, Claims((), (), (), embeddings[:0]), (), verdicts=verdicts)


def pairs_of(claims: Claims) -> list[Comparison]:
    """The pairs of these claims, all of one date and each of an episode of its own, that a judge is asked about."""
    rows = zip(claims.claim_ids, claims.texts, claims.embeddings, strict=True)
    candidates = [Candidate(claim_id, claim_id, date.min, text, embedding) for claim_id, text, embedding in rows]
    return comparisons(likest_pairs(candidates, date.min), candidates)


def _judged(claims: Claims, judge: StoryJudge) -> Verdicts:
    """What the judge says of the likest claims."""
    judged = judge.judge(pairs_of(claims))
    return {(one.claim_id, one.other_claim_id): one.verdict for one in judged}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
