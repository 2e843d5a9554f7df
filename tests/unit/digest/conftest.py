"""Warehouses that hold the invented days, and the browser that pages are looked at with."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest
from browser import Browser
from invented_days import MARTS, fill

from include.warehouse import open_warehouse


@pytest.fixture
def warehouse_file(tmp_path: Path) -> Path:
    """A warehouse that holds the three days."""
    file = tmp_path / "warehouse.duckdb"
    with open_warehouse(file) as connection:
        connection.execute(MARTS)
        fill(connection)
    return file


@pytest.fixture
def connection(warehouse_file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(warehouse_file) as opened:
        yield opened


@pytest.fixture
def warehouse(warehouse_file: Path) -> Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]:
    """What opens the warehouse, as a task does it."""
    return lambda: open_warehouse(warehouse_file)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        pytest.skip("Chromium is not installed, so no page is looked at")
    opened = Browser(program)
    yield opened
    opened.close()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """A tab with nothing to complain of yet."""
    chromium.open("about:blank")
    chromium.problems.clear()
    return chromium
