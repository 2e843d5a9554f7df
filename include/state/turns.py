"""Turns: what may be done by one process at a time, such as asking a question that costs money, over a network call
that no transaction is held open for.

A turn lasts until it is given up or its process is gone. That can be seen on its own machine, told by the host's name;
of a process of another one it is believed when LASTING has passed.
"""

import functools
import os
import socket
from datetime import datetime, timedelta

import psutil
from sqlalchemy import Connection, delete, select

from include.state.store import Store, now
from include.state.tables import turns

LASTING = timedelta(minutes=30)
"""Longer than a question or a submission takes with all its tries."""


def take(store: Store, what: str) -> bool:
    """Whether this process has the turn now; one that has it may take it again. A single compare-and-set decides."""
    mine = {"process": _name(os.getpid()), "until": now() + LASTING}
    with store.writing() as connection:
        had = connection.execute(select(turns.c.process, turns.c.until).where(turns.c.what == what)).one_or_none()
        if had and had.process != mine["process"] and _may_be_at_work(had.process, had.until):
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
    return f"{socket.gethostname()} {pid} {_began(psutil.Process(pid))}"


def _may_be_at_work(process: str, until: datetime) -> bool:
    host, pid, began = process.rsplit(" ", 2)
    if host != socket.gethostname():
        return until > now()
    try:
        found = psutil.Process(int(pid))
        return _began(found) == began and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _began(process: psutil.Process) -> str:
    """The second of the machine's run in which it began, which no setting of the clock changes."""
    return f"{process.create_time() - psutil.boot_time():.2f}"
