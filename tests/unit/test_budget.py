"""Caps on a day's spending: over threads, processes, retries and crashes."""

import fcntl
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from include.models.budget import Budget


def test_a_reservation_that_would_pass_the_cap_is_refused_and_a_settled_one_frees_what_it_did_not_cost(tmp_path):
    budget = Budget(0.5, tmp_path / "day.jsonl")
    token = budget.reserve(0.4)
    assert token is not None
    assert budget.reserve(0.2) is None
    budget.settle(token, 0.1)
    assert budget.reserve(0.4) is not None
    assert budget.reserve(0.01) is None


def test_what_costs_nothing_is_allowed_even_where_nothing_may_be_spent(tmp_path):
    assert Budget(0.0, tmp_path / "day.jsonl").reserve(0.0) is not None
    assert Budget(0.0, tmp_path / "day.jsonl").reserve(0.001) is None


def test_threads_together_never_reserve_more_than_the_cap(tmp_path):
    budget = Budget(1.0, tmp_path / "day.jsonl")
    barrier = threading.Barrier(16)

    def greedy(_):
        barrier.wait()
        return sum(budget.reserve(0.01) is not None for _ in range(20))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(greedy, range(16))) == 100


def _greedy_process(ledger, barrier, results):
    budget = Budget(1.0, ledger=ledger)
    barrier.wait()
    results.put(sum(budget.reserve(0.01) is not None for _ in range(60)))


def test_processes_that_share_a_ledger_never_reserve_more_than_the_cap(tmp_path):
    context = multiprocessing.get_context("fork")
    results, barrier = context.Queue(), context.Barrier(4)
    ledger = tmp_path / "day.jsonl"
    processes = [context.Process(target=_greedy_process, args=(ledger, barrier, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert sum(results.get(timeout=60) for _ in processes) == 100
    for process in processes:
        process.join()
    assert Budget(1.0, ledger=ledger).reserve(0.01) is None


def test_a_ledger_that_another_process_holds_is_waited_for(tmp_path):
    budget = Budget(1.0, ledger=tmp_path / "day.jsonl")
    with (tmp_path / "day.jsonl").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        reserving = threading.Thread(target=budget.reserve, args=(0.5,))
        reserving.start()
        reserving.join(0.2)
        assert reserving.is_alive()
    reserving.join(30)
    assert budget.spent == 0.5


def test_a_ledger_survives_a_process_killed_while_it_wrote(tmp_path):
    ledger = tmp_path / "day.jsonl"
    Budget(1.0, ledger=ledger).reserve(0.6)
    with ledger.open("a") as file:
        file.write('\n{"token": "x", "am')
    budget = Budget(1.0, ledger=ledger)
    assert budget.reserve(0.5) is None
    assert budget.reserve(0.4) is not None
    assert Budget(1.0, ledger=ledger).spent == pytest.approx(1.0)


def test_what_is_reserved_again_under_its_own_token_is_counted_once(tmp_path):
    budget = Budget(1.0, ledger=tmp_path / "day.jsonl")
    assert budget.reserve(0.6, "mine") == "mine"
    assert budget.reserve(0.6, "mine") == "mine"
    assert budget.reserve(0.6, "other") is None
    assert budget.spent == 0.6
