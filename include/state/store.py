"""The one place that opens the operational state: what is in work, paid, answered, capped and sent.

It is a SQLite file beside the warehouse, or the PostgreSQL database that PODCAST_STATE_URL names. Any process may use
it at any time, also amid a network call; no transaction is held open over one.
"""

import functools
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
import tenacity
from sqlalchemy import Connection, Engine, Table, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, ProgrammingError

from include.settings import Settings
from include.state import earlier
from include.state.tables import metadata

BUSY_SECONDS = 120.0
"""How long a write of another process is waited for."""

_MIGRATIONS = Path(__file__).with_name("migrations")
_ADVISORY_LOCK = 7_305_112
_opened: "weakref.WeakSet[Engine]" = weakref.WeakSet()


class UnusableState(RuntimeError):
    """The state is of a version that this one does not know, or of a kind that it is not kept in; no retry helps."""


def _passes(error: BaseException) -> bool:
    """Whether it helps to wait: two that turn a new SQLite file to its write-ahead log do not wait for each other, and
    a server may be starting."""
    if isinstance(getattr(error, "orig", None), sqlite3.Error):
        return "database is locked" in str(error)
    refused = ("authentication failed", "does not exist")
    return isinstance(error, OperationalError) and not any(reason in str(error) for reason in refused)


_patiently = tenacity.retry(
    retry=tenacity.retry_if_exception(_passes),
    wait=tenacity.wait_random(0.05, 0.5),
    stop=tenacity.stop_after_delay(BUSY_SECONDS),
    reraise=True,
)


class Store:
    """The state at a SQLAlchemy URL. Its tables are made, and brought to this version, when it is first used; what an
    earlier version kept in the warehouse and the landing folder under `data_dir` is then taken over, and what a SQLite
    file there kept before it was PostgreSQL. Safe for several threads and processes. A server that is away is waited
    for before a block begins, so that what was paid or sent can be written down."""

    def __init__(self, url: str, data_dir: Path):
        self._url = sqlalchemy.make_url(url)
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._is_ready = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state throughout, and waits for nobody."""
        snapshot = {"isolation_level": "REPEATABLE READ"} if self._is_postgresql else {}
        with _connected(self._ready).execution_options(**snapshot) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, durable: bool = False) -> Iterator[Connection]:
        """A transaction: all that the block writes, or, where it raises, nothing of it. In SQLite it is alone. Killed
        processes lose nothing that was written; with `durable`, a power cut does not either."""
        with _begun(self._ready, durable) as connection:
            yield connection

    def insert(self, table: Table) -> Any:
        """An `insert` into a table that may say what is to be done `on_conflict`."""
        return (postgresql if self._is_postgresql else sqlite).insert(table)

    def copy_to(self, other: "Store") -> None:
        """Writes all rows, as they are at this moment, into the empty state `other`, and leaves its file whole."""
        with other.writing(durable=True) as connection:
            self._copy_to(connection)
        other.close()

    def compact(self, *tables: Table) -> None:
        """Leaves nothing of deleted rows in the files of these tables. Everybody waits meanwhile."""
        if self._is_postgresql:
            with self._ready.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                for table in tables:
                    connection.exec_driver_sql(f"vacuum full {table.name}")
            return
        with self._ready.connect() as connection:
            for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):
                connection.connection.execute(statement)

    def close(self) -> None:
        """Lets go of its connections, so that a SQLite file is one file; the next use opens it anew."""
        self._engine.dispose()
        self._is_ready = False

    def upsert(self, connection: Connection, table: Table, row: dict[str, Any]) -> None:
        """Writes a row in the place of the one with its key."""
        keys = [column.name for column in table.primary_key]
        rest = {name: value for name, value in row.items() if name not in keys}
        connection.execute(self.insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=rest))

    @property
    def _is_postgresql(self) -> bool:
        return self._url.get_backend_name() == "postgresql"

    @property
    def _ready(self) -> Engine:
        if not self._is_ready:
            with self._lock:
                if not self._is_ready:
                    self._bring_to_this_version()
                    self._is_ready = True
        return self._engine

    @functools.cached_property
    def _engine(self) -> Engine:
        # Threads of a process wait for each other, so that many processes do not use up a server's connections.
        pool: dict[str, Any] = {"pool_size": 2, "max_overflow": 0, "pool_timeout": BUSY_SECONDS}
        if self._is_postgresql:
            engine = sqlalchemy.create_engine(self._url, pool_pre_ping=True, **pool)
        elif self._url.get_backend_name() == "sqlite":
            engine = sqlalchemy.create_engine(self._url, connect_args={"timeout": BUSY_SECONDS}, **pool)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_in_sqlite)
        else:
            raise UnusableState(
                f"PODCAST_STATE_URL names {self._url.get_backend_name()}; the state is kept in PostgreSQL "
                "(postgresql+psycopg://USER:PASSWORD@HOST/DATABASE) or, while the setting is empty, in SQLite"
            )
        _opened.add(engine)
        return engine

    def _bring_to_this_version(self) -> None:
        known = {file.stem.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("v*.py")}
        latest = max(known, key=lambda version: int(version[1:]))
        if self._url.database and not self._is_postgresql:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        version = self._version()
        if version == latest:
            return
        if version and version not in known:
            raise UnusableState(
                f"The state at {self._url!r} is of version {version}, and this program knows {latest}: a later one has "
                "used it. Install that, or put back a backup of the state."
            )
        self._migrate()

    @_patiently
    def _version(self) -> str | None:
        """The version of the tables; None where there are none."""
        try:
            with self._engine.connect() as connection:
                return connection.scalar(text("select version_num from alembic_version"))
        except (OperationalError, ProgrammingError) as error:
            if "alembic_version" in str(error.orig):
                return None
            raise

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext

        config, before = Config(), self._data_dir / "state.db"
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        # What was taken over is removed where it was (v3) only when it is certainly kept (v2).
        for version in ("v2", "head"):
            # The warehouse is waited for before anybody is kept from the state.
            with earlier.opened(self._data_dir) as kept, _begun(self._engine, durable=True) as connection:
                if self._is_postgresql:
                    connection.execute(text(f"select pg_advisory_xact_lock({_ADVISORY_LOCK})"))
                is_new = MigrationContext.configure(connection).get_current_revision() is None
                moves = is_new and self._is_postgresql and before.exists()
                config.attributes.update(connection=connection, earlier=kept, takes_over=not moves)
                command.upgrade(config, version)
                if moves:
                    at(self._data_dir)._copy_to(connection)

    def _copy_to(self, other: Connection) -> None:
        with self.reading() as connection:
            for table in metadata.sorted_tables:
                for rows in connection.execute(select(table)).mappings().partitions(1_000):
                    other.execute(table.insert(), [dict(row) for row in rows])
        self._engine.dispose()


def of(settings: Settings) -> Store:
    """The state of an installation."""
    return _store(settings.state_url.get_secret_value() or f"sqlite:///{settings.data_dir}/state.db", settings.data_dir)


def at(folder: Path) -> Store:
    """The state in the file `state.db` of a folder."""
    return _store(f"sqlite:///{folder}/state.db", folder)


def now() -> datetime:
    """The moment, as the state keeps it: UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


@functools.cache
def _store(url: str, data_dir: Path) -> Store:
    return Store(url, data_dir)


@contextmanager
def _begun(engine: Engine, durable: bool) -> Iterator[Connection]:
    with _connected(engine).execution_options(writes=True, durable=durable) as connection, connection.begin():
        yield connection


@_patiently
def _connected(engine: Engine) -> Connection:
    return engine.connect()


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Transactions are left to us: Python's own driver would begin one late, and only for some statements. The file is
    turned to its write-ahead log here, where SQLAlchemy makes what goes wrong an error of its own."""
    connection.isolation_level = None
    connection.execute("pragma journal_mode = wal")


def _begin_in_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    # A reader sees what was there when it began; who would become a writer on the way could find it outdated.
    if options.get("writes"):
        connection.exec_driver_sql(f"pragma synchronous = {'full' if options['durable'] else 'normal'}")
        connection.exec_driver_sql("begin immediate")
    else:
        connection.exec_driver_sql("begin")


def close_idle() -> None:
    """Closes the connections that nobody uses, of all states that were opened: none must be used on both sides of a
    fork."""
    for engine in list(_opened):
        engine.dispose()


os.register_at_fork(before=close_idle)
