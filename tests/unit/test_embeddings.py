"""Embeddings bear their model; a provider's are paid once, within the budget, and what is missing is embedded later."""

from datetime import date, timedelta

import numpy as np
import pytest
import yaml

from include.claims import embeddings
from include.claims.embeddings import Unembedded
from include.models.budget import Budget
from include.models.meaning import ClaimEncoder
from include.models.pacing import Patience
from include.models.provider_embedding import ProviderEncoder
from include.models.questions import UnusableModel
from include.settings import PROJECT
from include.state import store
from include.warehouse.database import append, open_warehouse, records
from tests.doubles.embedding_server import EmbeddingServer

DAY = date(2026, 1, 15)
TEXTS = ["Harbours sink by a centimetre.", "Piers cost more than they earn.", "Cranes stand idle in a storm."]


@pytest.fixture
def warehouse(tmp_path):
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        for number in range(4):
            claim = {
                "claim_id": f"c{number}",
                "episode_id": f"e{number}",
                "partition_date": DAY - timedelta(number),
                "headline": "Piers",
                "insight": f"They cost {number}.",
            }
            append(connection, "raw.claims", [claim])
        yield connection


@pytest.fixture
def connect(monkeypatch, tmp_path):
    """A provider's encoder that talks to a server, with pauses short enough for a test."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    for name in ("OPENAI_API_BASE", "OPENAI_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def connect(server: EmbeddingServer, cap: float = 1.0) -> ProviderEncoder:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        short = Patience(timeout_seconds=5.0, first_wait_seconds=0.01, longest_wait_seconds=0.1)
        return ProviderEncoder(
            "openai:text-embedding-3-small", tmp_path / "kept", Budget(cap, store.at(tmp_path)), short
        )

    return connect


class Meaning:
    def __init__(self, name: str):
        self.name = name

    def encode(self, texts):
        return np.tile(np.eye(1, 4, dtype=np.float32), (len(texts), 1))


def test_claims_that_another_model_embedded_are_embedded_anew_the_day_s_first_and_then_the_latest(warehouse):
    first = embeddings.lacking(warehouse, DAY - timedelta(2), "one")
    assert [claim.claim_id for claim in first] == ["c2", "c0", "c1", "c3"]
    assert embeddings.land(warehouse, DAY, embeddings.embed(first, Meaning("one"))) == 4
    assert embeddings.lacking(warehouse, DAY, "one") == []
    assert len(embeddings.lacking(warehouse, DAY, "another")) == 4
    embeddings.land(warehouse, DAY, embeddings.embed(first[:1], Meaning("another")))
    assert embeddings.lacking(warehouse, DAY, "one") == [], "who goes back finds what was there"
    assert [c.claim_id for c in embeddings.lacking(warehouse, DAY, "another", reread=["e0"])] == ["c1", "c3"]


def test_an_embedding_takes_the_place_of_its_model_s_earlier_one_and_a_claim_that_is_gone_gets_none(warehouse):
    claims = [Unembedded("c0", DAY, "text"), Unembedded("gone", DAY, "text")]
    for _ in range(2):
        assert embeddings.land(warehouse, DAY, embeddings.embed(claims, Meaning("one"))) == 1
    assert records(warehouse, "select claim_id, model from raw.claim_embeddings") == [
        {"claim_id": "c0", "model": "one"}
    ]


def test_a_provider_is_asked_for_a_text_once_and_gives_unit_vectors(connect):
    with EmbeddingServer() as server:
        first = connect(server).encode(TEXTS[:2])
        both = connect(server).encode(TEXTS)
    assert server.asked == TEXTS
    assert np.allclose(np.linalg.norm(both, axis=1), 1)
    assert np.array_equal(first, both[:2])
    assert np.allclose(both[2], server.embed(TEXTS[2]) / np.linalg.norm(server.embed(TEXTS[2])))


def test_a_provider_that_is_busy_is_asked_again_and_what_came_before_a_failure_is_kept(connect, monkeypatch):
    monkeypatch.setattr(embeddings, "_BATCH", 1)
    with EmbeddingServer(faults=[429]) as server:
        encoder = connect(server)
        encoder.encode(TEXTS[:1])
        server.faults = [500] * 50
        with pytest.raises(Exception, match="scripted"):
            encoder.encode(TEXTS[:2])
        server.faults = []
        encoder.encode(TEXTS[:2])
    assert server.asked == TEXTS[:2]


def test_what_passes_the_budget_is_left_for_a_later_run(connect, monkeypatch, caplog):
    monkeypatch.setattr(embeddings, "_BATCH", 2)
    monkeypatch.setattr("include.models.provider_embedding.is_local", lambda *_: False)
    work = [Unembedded(f"c{number}", DAY, text) for number, text in enumerate(TEXTS)]
    with EmbeddingServer() as server:
        paid = connect(server, cap=6e-7)
        embedded = embeddings.embed(work, paid)
        assert [one.claim_id for one in embedded] == ["c0", "c1"]
        assert "1 of 3 claims are not embedded by openai:text-embedding-3-small" in caplog.text
        assert len(embeddings.embed(work, connect(server, cap=1.0))) == 3
    assert server.asked == TEXTS


def test_a_provider_that_refuses_its_key_is_said_to_be_unusable_and_the_key_is_not_told(connect):
    with EmbeddingServer(faults=[401]) as server, pytest.raises(UnusableModel) as refused:
        connect(server).encode(TEXTS)
    assert "PODCAST_EMBEDDING_MODEL" in str(refused.value)
    assert "sk-test" not in str(refused.value)


def test_a_provider_that_langchain_does_not_know_is_said_to_be_unusable(tmp_path):
    encoder = ProviderEncoder("nobody:model", tmp_path / "kept", Budget(1.0, store.at(tmp_path)))
    with pytest.raises(UnusableModel, match="nobody:model cannot be used"):
        encoder.encode(TEXTS)


def test_dbt_and_python_call_the_bundled_model_by_one_name():
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text())
    assert project["vars"]["bundled_embedding_model"] == ClaimEncoder.name
