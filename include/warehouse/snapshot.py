"""The warehouse's file as a whole: copied while it is in use, looked through for damage, and made compact."""

import os
import subprocess
from pathlib import Path

import duckdb

from include.warehouse.database import held_by, open_warehouse


def take(warehouse: Path, to: Path) -> dict[str, int]:
    """Writes a copy of the warehouse as it is at this moment; returns how many rows each table of it has, each read.
    Whoever wants to write to the warehouse waits meanwhile. Costs what copying and reading the file does."""
    with open_warehouse(warehouse) as connection:
        connection.execute("force checkpoint")
        # Were the file opened and closed in this process, its lock on it would be lost.
        done = subprocess.run(["cp", "--reflink=auto", warehouse, to], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip())
    return counted(to)


def counted(file: Path) -> dict[str, int]:
    """The rows of each table of a database file. Reads every block, so it raises duckdb.Error where one is damaged."""
    with duckdb.connect(str(file), read_only=True) as connection:
        ((name,),) = connection.execute("select current_database()").fetchall()
        return {table: rows for table, (rows, _) in _contents(connection, name).items()}


def compact(warehouse: Path) -> tuple[int, int]:
    """Puts a copy in the place of the file that holds nothing of what was deleted; returns how many bytes it had and
    has. The copy is compared with it row by row before it takes its place in one move. Whoever wants to write waits
    meanwhile. Costs some minute a gigabyte, and little more memory than PODCAST_WAREHOUSE_MEMORY."""
    copy = warehouse.with_suffix(".compact")
    for left in (copy, copy.with_name(f"{copy.name}.wal")):
        left.unlink(missing_ok=True)
    with open_warehouse(warehouse) as connection:
        connection.execute("force checkpoint")
        before = warehouse.stat().st_size
        ((name,),) = connection.execute("select current_database()").fetchall()
        connection.execute(f"attach '{str(copy).replace(chr(39), chr(39) * 2)}' as compact")
        connection.execute(f'copy from database "{name}" to compact')
        tables = _contents(connection, name)
        if tables != _contents(connection, "compact"):
            raise RuntimeError(f"{copy} does not hold what {warehouse} does, so this stays as it is; report it.")
        connection.execute("detach compact")
        os.replace(copy, warehouse)
    return before, warehouse.stat().st_size


def free_share(warehouse: Path) -> float:
    """The share of the file that holds nothing."""
    with open_warehouse(warehouse) as connection:
        connection.execute("checkpoint")
        ((free, total),) = connection.execute(
            "select free_blocks, total_blocks from pragma_database_size() where database_name = current_database()"
        ).fetchall()
    return free / max(total, 1)


def holder(warehouse: Path) -> str | None:
    """The process that has the warehouse open, None where none has. A damaged file counts as free."""
    try:
        if warehouse.exists():
            duckdb.connect(str(warehouse)).close()
    except duckdb.Error as error:
        return held_by(error)
    return None


def _contents(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[int, int | None]]:
    """How many rows each table of a database has, and a hash over them."""
    quoted = "format('{}.\"{}\"', schema_name, table_name)"
    names = connection.execute(
        f"select {quoted} from duckdb_tables() where database_name = $1 order by all", [database]
    ).fetchall()
    found = {}
    for (name,) in names:
        looked = f'select count(*), bit_xor(hash(rows)) from "{database}".{name} as rows'
        ((found[name]),) = connection.execute(looked).fetchall()
    return found
