"""The tables of the warehouse that follow the state."""

from datetime import datetime, timedelta

from include.models.calls import Call, CallStore
from include.state import store
from include.warehouse import mirror
from include.warehouse.database import open_warehouse


def call(key: str) -> Call:
    return Call(
        call_key=key,
        subject_id="e1",
        task="extract",
        provider_model="openai:m",
        prompt_version="v1",
        status="ok",
        answer="{}",
        called_at=datetime(2026, 1, 15),
    )


def test_what_is_written_after_the_clock_was_set_back_is_found_too(state, tmp_path, monkeypatch):
    right, calls = store.now(), CallStore(state)
    with open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        for number, moment in enumerate([right + timedelta(days=2), right, right + timedelta(minutes=1)]):
            monkeypatch.setattr(store, "now", lambda moment=moment: moment)
            calls.put(call(f"k{number}"))
            mirror.bring(connection, state)
            found = connection.execute("select call_key from raw.llm_calls order by all").fetchall()
            assert found == [(f"k{n}",) for n in range(number + 1)]
