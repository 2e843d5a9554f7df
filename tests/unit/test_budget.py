"""Caps on a day's spending: over threads, processes, retries and crashes, in either database."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from include.models.budget import AUDIO_HOURS, Budget


def test_a_reservation_that_would_pass_the_cap_is_refused_and_a_settled_one_frees_what_it_did_not_cost(state):
    budget = Budget(0.5, state)
    token = budget.reserve(0.4)
    assert token is not None
    assert budget.reserve(0.2) is None
    budget.settle(token, 0.1)
    assert budget.reserve(0.4) is not None
    assert budget.reserve(0.01) is None


def test_what_costs_nothing_is_allowed_even_where_nothing_may_be_spent(state):
    assert Budget(0.0, state).reserve(0.0) is not None
    assert Budget(0.0, state).reserve(0.001) is None


def test_what_was_billed_counts_even_where_it_passes_the_cap(state):
    budget = Budget(0.5, state)
    budget.settle(budget.reserve(0.5), 0.75)
    assert budget.spent == 0.75
    assert budget.reserve(0.01) is None
    assert budget.reserve(0.0) is not None


def test_threads_together_never_reserve_more_than_the_cap(state):
    budget = Budget(1.0, state)
    barrier = threading.Barrier(16)

    def greedy(_):
        barrier.wait()
        return sum(budget.reserve(0.01) is not None for _ in range(20))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(greedy, range(16))) == 100


def test_twenty_processes_together_reserve_the_cap_and_no_more(state, together):
    reserved = together(lambda _: sum(Budget(1.0, state).reserve(0.01) is not None for _ in range(12)))

    assert sum(reserved) == 100
    assert Budget(1.0, state).spent == pytest.approx(1.0)
    assert Budget(1.0, state).reserve(0.01) is None


def test_twenty_processes_that_are_one_spender_reserve_once(state, together):
    together(lambda _: Budget(1.0, state).reserve(0.6, "mine"))

    assert Budget(1.0, state).spent == 0.6


def test_money_and_hours_are_capped_apart(state):
    assert Budget(1.0, state).reserve(1.0)
    assert Budget(1.0, state, AUDIO_HOURS).reserve(1.0)


def test_sixths_of_a_cap_fill_it(state):
    budget = Budget(1.0, state)
    assert [budget.reserve(1 / 6) is not None for _ in range(7)] == [True] * 6 + [False]


def test_what_is_reserved_again_under_its_own_token_is_counted_once(state):
    budget = Budget(1.0, state)
    assert budget.reserve(0.6, "mine") == "mine"
    assert budget.reserve(0.6, "mine") == "mine"
    assert budget.reserve(0.6, "other") is None
    assert budget.spent == 0.6


def test_the_total_is_what_the_spenders_have(state):
    budget = Budget(10.0, state)
    for number in range(30):
        budget.settle(budget.reserve(0.1), 0.1 / (number + 1))
    with state.reading() as connection:
        (total,) = connection.execute(text("select spent from budgets")).scalars()
        assert total == connection.scalar(text("select sum(amount) from reservations"))
