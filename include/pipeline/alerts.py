"""Telling the operator what needs a person: a mail to PODCAST_ALERT_RECIPIENTS, a message to each place of
PODCAST_ALERT_URLS, and a file in any case.

The file of a failed task, `data/alerts/DAG-DATE-TASK.txt`, is replaced when the same task of the same day fails again.
What was told is not told again for a while, word for word the same.
"""

import functools
import logging
import os
import time
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from include.addresses import without_secrets
from include.delivery.channels import Channel
from include.settings import settings

log = logging.getLogger(__name__)

DAY = 24 * 3600


def report_failure(context: Mapping[str, Any]) -> None:
    """Reports the task of an Airflow context: which, of which day, with which error, and what to do. Never raises."""
    task = context["task_instance"]
    day = context.get("partition_key")
    clear = f"airflow dags clear {task.dag_id} --partition-key {day}" if day else f"airflow dags trigger {task.dag_id}"
    report(
        f"{task.dag_id}-{day or 'no partition'}-{task.task_id}",
        f"{task.dag_id}.{task.task_id} failed" + (f" for {day}" if day else ""),
        f"The task {task.task_id} of {task.dag_id} failed{f' for {day}' if day else ''}, try {task.try_number}, and "
        f"will not be tried again by itself.\n\nError: {context.get('exception')}\n\n"
        f"Read its log in the Airflow UI, mend the cause, and run it again:\n  {clear}\n",
    )


def report(name: str, subject: str, text: str, again_after: float = DAY) -> None:
    """Reports something in the file `NAME.txt`, by mail and in the operator's channels; the same again only after so
    many seconds. Never raises: a failure to report must not hide what failed."""
    try:
        _report(name, subject, without_secrets(text), again_after)
    except Exception:
        log.exception("%s could not be reported: %s", name, subject)


def trial() -> int:
    """Tells every mailbox and channel of alerts that this is a trial; returns how many ways took it, of which all
    mailboxes are one. Raises RuntimeError with why others did not."""
    told, troubles = _tell("trial", "A trial alert", "It was asked for, and has arrived here. Nothing is to be done.\n")
    if troubles:
        raise RuntimeError(f"{len(troubles)} of {told + len(troubles)} ways did not take it: {'; '.join(troubles)}")
    return told


def is_over(name: str) -> None:
    """What was reported under a name is no more, so that it is told at once when it comes again."""
    _file(name).unlink(missing_ok=True)


def _report(name: str, subject: str, text: str, again_after: float) -> None:
    file, content = _file(name), f"{subject}\n\n{text}"
    if file.is_file() and file.read_text() == content and time.time() - file.stat().st_mtime < again_after:
        return
    log.error("%s", subject)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    told, troubles = _tell(name, subject, text)
    for trouble in troubles:
        log.error("an alert could not be told: %s", trouble)
    if troubles and not told:
        os.utime(file, (0, 0))  # nobody was told, so the next one is


def _tell(name: str, subject: str, text: str) -> tuple[int, list[str]]:
    """How many ways took it, and why the others did not."""
    ways = [functools.partial(Channel(url).say, subject, text) for url in settings().alert_urls]
    if settings().alert_recipients:
        ways.append(functools.partial(_mail, name, subject, text))
    troubles = [trouble for trouble in map(_tried, ways) if trouble]
    return len(ways) - len(troubles), troubles


def _tried(way: Callable[[], None]) -> str | None:
    try:
        way()
    except Exception as error:
        return without_secrets(f"{type(error).__name__}: {error}")
    return None


def _file(name: str) -> Path:
    return settings().data_dir / "alerts" / f"{name}.txt"


def _mail(name: str, subject: str, text: str) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    notifier = SmtpNotifier(
        to=settings().alert_recipients,
        from_email=settings().sender,
        subject=subject,
        html_content=f"<pre>{escape(text)}</pre>",
        custom_headers={"X-Alert": name},
        smtp_conn_id="smtp_default",
    )
    # Calling the notifier would fill in Jinja, also what looks like it in an error, and would hide that it failed.
    notifier.notify({})
