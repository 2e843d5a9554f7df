"""A PostgreSQL server for tests, from the system's packages; without these, what needs one is skipped by name."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


def postgres_program(name: str) -> str:
    """A program of the PostgreSQL server, empty where it is not installed; Debian keeps them off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)])) or ""


needs_postgres = pytest.mark.skipif(
    not (postgres_program("postgres") and postgres_program("initdb")),
    reason="no PostgreSQL server is installed (Debian's package is called postgresql)",
)


@contextmanager
def postgres(port: int, user: str, password: str, database: str) -> Iterator[None]:
    """A server with a superuser and a database; PostgreSQL itself refuses to run as root."""
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    uid, gid = (nobody.pw_uid, nobody.pw_gid) if nobody else (None, None)
    groups: list[int] | None = [] if nobody else None
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "password").write_text(password)
        for path in (folder, f"{folder}/password"):
            if nobody:
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        cluster = ["-D", f"{folder}/cluster"]
        make = [postgres_program("initdb"), *cluster, "-U", user, f"--pwfile={folder}/password", "-A", "scram-sha-256"]
        subprocess.run(
            [*make, "--no-sync"], check=True, capture_output=True, cwd="/", user=uid, group=gid, extra_groups=groups
        )
        serve = [postgres_program("postgres"), *cluster, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with open(f"{folder}/server.log", "wb") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, cwd="/", user=uid, group=gid, extra_groups=groups)
        try:
            deadline = time.monotonic() + 240
            while not _created(database, {"host": "127.0.0.1", "port": port, "user": user, "password": password}):
                assert time.monotonic() < deadline, Path(f"{folder}/server.log").read_text()
                time.sleep(0.2)
            yield
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=180)


def _created(database: str, connect: dict) -> bool:
    try:
        with psycopg.connect(**connect, dbname="postgres", autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(database)))
    except psycopg.OperationalError:
        return False
    return True
