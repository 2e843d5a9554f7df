"""`python -m include.delivery DATE RECIPIENT arrived|lost` settles an undecided mail; what is lost is sent."""

import argparse
import sys

from include.delivery.ledger import settle
from include.warehouse import partition
from include.warehouse.database import open_warehouse


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
        with open_warehouse() as connection:
            settle(connection, partition.day(given.date), given.recipient, given.verdict == "arrived")
    except (LookupError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
