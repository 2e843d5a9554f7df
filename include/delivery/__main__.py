"""`python -m include.delivery DATE RECIPIENT arrived|lost` settles an undecided mail; what is lost is sent."""

import argparse
import sys
from datetime import date

from include.delivery import ledger
from include.settings import settings
from include.state import store
from include.warehouse import partition, publication


def main(arguments: list[str] | None = None) -> int:
    """Settles one row of the ledger; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m include.delivery",
        description="Says whether an undecided mail arrived; what did not is sent.",
    )
    parser.add_argument("date", help="the day of the digest, as 2026-01-15")
    parser.add_argument("recipient")
    parser.add_argument("verdict", choices=("arrived", "lost"))
    given = parser.parse_args(arguments)
    try:
        day, arrived = partition.day(given.date), given.verdict == "arrived"
        ledger.settle(store.of(settings()), day, given.recipient, arrived, _five(day) if arrived else ())
    except (LookupError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _five(day: date) -> list[ledger.Told]:
    if not settings().published.exists():
        return []
    with publication.open_copy(settings().published) as connection:
        five = "select rank, claim_id, theme_id from marts.top_insights where digest_date = $day"
        return [ledger.Told(*row) for row in connection.execute(five, {"day": day}).fetchall()]


if __name__ == "__main__":
    sys.exit(main())
