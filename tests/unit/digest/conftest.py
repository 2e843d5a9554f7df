"""Warehouses that hold the invented days, and the browser that pages are looked at with."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import browser
import duckdb
import pytest
from browser import PROGRAM, Reader
from invented_days import MARTS, fill
from playwright.sync_api import Browser

from include.warehouse.database import open_warehouse


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed after these tests: while it is open, an event loop runs in this thread."""
    if not PROGRAM:
        pytest.skip("Chromium is not installed, so no page is looked at")
    with browser.chromium() as opened:
        yield opened


@pytest.fixture
def read(chromium: Browser) -> Iterator[Callable[..., Reader]]:
    """Opens a tab: of a phone or a desktop, in light or dark."""
    opened: list[Reader] = []

    def tab(**look) -> Reader:
        opened.append(Reader(chromium, **look))
        return opened[-1]

    yield tab
    for reader in opened:
        reader.page.close()
