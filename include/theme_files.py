"""Themes of claims in a file, by the pipeline's own grouping, without Airflow: `make themes IN=FILE OUT=FILE`.

IN holds one JSON object a line with id and text (show is allowed, and not needed); OUT gets one with id and theme a
line, in the same order.
"""

import json
import sys
from pathlib import Path

from include.meaning import claim_encoder
from include.rare_words import rare_words
from include.themes import Claims, assign


def main(arguments: list[str]) -> int:
    """Writes OUT and returns 0; returns 2, with what is wrong on stderr, where IN cannot be read."""
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
    themes = group([row["id"] for row in rows], [row["text"] for row in rows])
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


def group(ids: list[str], texts: list[str]) -> list[str]:
    """The theme of each text, all taken as claims of one date. The id of a theme is "t" and the smallest of its ids."""
    if not ids:
        return []
    embeddings = claim_encoder().encode(texts)
    # An id of any form may follow the letter that a claim's id begins with.
    claims = Claims(["c" + one for one in ids], texts, [rare_words(text) for text in texts], embeddings)
    return assign(claims, Claims((), (), (), embeddings[:0]), ())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
