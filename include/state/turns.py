"""Turns: what may be done by one process at a time, such as asking a question that costs money, over a network call
that no transaction is held open for.

A turn lasts until it is given up, LASTING at most. Whoever is killed leaves it to the next one: at once on its own
machine, told by the host's name, where it can be seen that the process is gone.
"""

import functools
import os
import socket
from datetime import timedelta

import psutil
from sqlalchemy import Connection, delete, select

from include.state.store import Store, now
from include.state.tables import turns

LASTING = timedelta(minutes=30)
"""How long a turn counts without being taken again: longer than a question or a submission takes with all its tries."""


def take(store: Store, what: str) -> bool:
    """Whether this process has the turn now; one that has it may take it again. A single compare-and-set decides."""
    mine = {"process": _name(os.getpid()), "until": now() + LASTING}
    with store.writing() as connection:
        had = connection.execute(select(turns.c.process, turns.c.until).where(turns.c.what == what)).one_or_none()
        if had and had.process != mine["process"] and had.until > now() and _may_be_at_work(had.process):
            return False
        put = store.insert(turns).values(what=what, **mine)
        unchanged = turns.c.process == (had.process if had else mine["process"])
        put = put.on_conflict_do_update(index_elements=["what"], set_=mine, where=unchanged).returning(turns.c.what)
        return connection.execute(put).first() is not None


def leave(connection: Connection, what: str) -> None:
    """Gives the turn to whoever wants it next, together with what else the transaction writes."""
    connection.execute(delete(turns).where(turns.c.what == what, turns.c.process == _name(os.getpid())))


@functools.cache
def _name(pid: int) -> str:
    """A process, told apart from others of the same number and of other machines."""
    return f"{socket.gethostname()} {pid} {psutil.Process(pid).create_time():.2f}"


def _may_be_at_work(process: str) -> bool:
    host, pid, began = process.rsplit(" ", 2)
    try:
        return host != socket.gethostname() or f"{psutil.Process(int(pid)).create_time():.2f}" == began
    except psutil.NoSuchProcess:
        return False
