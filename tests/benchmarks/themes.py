"""How fast a day's claims find their themes, on planted ones, beside density clustering.

Each measurement runs in a process of its own, so that its peak of memory is its own. scikit-learn's HDBSCAN and
BERTopic are no requirements of the project; their rows appear where they are installed.
"""

import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from include.themes.grouping import derive
from tests.evals.themes import measure

DIMENSIONS = 384
A_DAY = 1_000
MEMBERS = 4
AN_EPISODE = 20
WORDS, OWN, VOCABULARY, COMMONEST = 30, 3, 50_000, 20
TEXT = "Ferry operators in Halmstad electrify vessels by retrofitting lithium batteries"
SIZES = (10_000, 100_000)
# Seconds after which another method is stopped.
PATIENCE = 1_800.0


def rows() -> list[tuple[str, float, str]]:
    """What was grouped, seconds, and what it is beside the same by another method."""
    found = []
    for size in SIZES:
        own = run("day_by_day", size)
        what = f"{size:,} claims by {A_DAY:,} a day"
        found.append((what, own["seconds"], f"F1 {own['f1']:.2f}, {own['megabytes']:.0f} MB"))
        for method, package in (("hdbscan", "sklearn"), ("bertopic", "bertopic")):
            if importlib.util.find_spec(package):
                try:
                    other = run(method, size, PATIENCE)
                except subprocess.TimeoutExpired:
                    found.append((f"{size:,} claims, {method}", PATIENCE, "stopped before it was done"))
                    continue
                beside = f"{other['seconds'] / own['seconds']:.1f} × as long, F1 {other['f1']:.2f}"
                found.append((f"{size:,} claims, {method}", other["seconds"], f"{beside}, {other['megabytes']:.0f} MB"))
    return found


def run(measurement: str, size: int, patience: float | None = None) -> dict[str, float]:
    """One measurement in a process of its own: seconds, megabytes at the peak, and f1 where it was taken. Raises
    TimeoutExpired after `patience` seconds."""
    command = [sys.executable, "-m", "tests.benchmarks.themes", measurement, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    if done.returncode:
        raise RuntimeError(f"{measurement} of {size} claims failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def planted(claims: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors, float32, and the theme of each: four claims a theme, with a mean cosine of 0.75 within it."""
    rng = np.random.default_rng(1)
    themes = rng.permutation(claims) // MEMBERS
    centres = rng.standard_normal((claims // MEMBERS + 1, DIMENSIONS), dtype=np.float32)
    vectors = np.empty((claims, DIMENSIONS), dtype=np.float32)
    for start in range(0, claims, 50_000):
        block = slice(start, start + 50_000)
        vectors[block] = centres[themes[block]] + 0.58 * rng.standard_normal(vectors[block].shape, dtype=np.float32)
        vectors[block] /= np.linalg.norm(vectors[block], axis=1, keepdims=True)
    return vectors, themes


def day_by_day(size: int) -> dict[str, float]:
    """All days one after the other."""
    vectors, themes = planted(size)
    claims = frame(vectors, themes)
    began = time.perf_counter()
    found = derive(claims)
    return {"seconds": time.perf_counter() - began, **score(found.sort_values("claim_id")["theme_id"].tolist(), themes)}


def day_of(numbers: np.ndarray) -> np.ndarray:
    """The day of claims that come a thousand a day."""
    return np.datetime64("2020-01-01") + numbers // A_DAY


def spoken(themes: np.ndarray) -> pa.ListArray:
    """Rare words of claims: three that their theme has for itself, the rest drawn by Zipf's law. As of real ones, each
    has some 30, and two claims share about one on average."""
    shares = 1 / (np.arange(VOCABULARY) + COMMONEST)
    drawn = np.random.default_rng(2).choice(VOCABULARY, (len(themes), WORDS), p=shares / shares.sum())
    drawn[:, :OWN] = VOCABULARY + OWN * themes[:, None] + np.arange(OWN)
    words = pa.array([f"word{number}" for number in range(drawn.max() + 1)]).take(pa.array(drawn.reshape(-1)))
    return pa.ListArray.from_arrays(pa.array(np.arange(len(themes) + 1, dtype=np.int32) * WORDS), words)


def hdbscan(size: int) -> dict[str, float]:
    """All claims at once; those that it leaves out are themes of their own."""
    from sklearn.cluster import HDBSCAN

    vectors, themes = planted(size)
    began = time.perf_counter()
    labels = HDBSCAN(min_cluster_size=2, n_jobs=2).fit_predict(vectors)
    return {"seconds": time.perf_counter() - began, **score(_alone(labels), themes)}


def bertopic(size: int) -> dict[str, float]:
    """All claims at once, on the same vectors; those that it leaves out are themes of their own."""
    from bertopic import BERTopic

    vectors, themes = planted(size)
    texts = [f"theme{theme} {TEXT}" for theme in themes]
    began = time.perf_counter()
    labels, _ = BERTopic(min_topic_size=2).fit_transform(texts, vectors)
    return {"seconds": time.perf_counter() - began, **score(_alone(np.array(labels)), themes)}


def frame(vectors: np.ndarray, themes: np.ndarray, first: int = 0) -> pd.DataFrame:
    """Claims of a thousand a day, each of a show of its own."""
    numbers = range(first, first + len(vectors))
    return pd.DataFrame(
        {
            "claim_id": [f"c{number:08}" for number in numbers],
            "partition_date": day_of(np.array(numbers)),
            "show_id": [str(number) for number in numbers],
            "episode_id": [str(number // AN_EPISODE) for number in numbers],
            "text": [TEXT] * len(vectors),
            "words": spoken(themes).to_pylist(),
            "embedding": list(vectors),
        }
    )


def score(found: list[str], themes: np.ndarray) -> dict[str, float]:
    return {"f1": measure(found, [str(theme) for theme in themes])["f1"]}


def _alone(labels: np.ndarray) -> list[str]:
    return [str(label) if label >= 0 else f"alone{number}" for number, label in enumerate(labels)]


MEASUREMENTS: dict[str, Callable[[int], dict[str, float]]] = {
    "day_by_day": day_by_day,
    "hdbscan": hdbscan,
    "bertopic": bertopic,
}


if __name__ == "__main__":
    figures = MEASUREMENTS[sys.argv[1]](int(sys.argv[2]))
    print(json.dumps({**figures, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
