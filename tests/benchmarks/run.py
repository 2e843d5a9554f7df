"""`make bench`: every benchmark as one table. Seconds differ from machine to machine; the ratios are what counts."""

import importlib
import sys


def main(names: list[str]) -> None:
    print("| what | seconds | beside it |\n| --- | --- | --- |")
    for name in names or ("feeds", "claims", "themes", "growth"):
        for what, seconds, ratio in importlib.import_module(f"tests.benchmarks.{name}").rows():
            print(f"| {what} | {seconds:.2f} | {ratio} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
