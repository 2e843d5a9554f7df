"""Telling the operator what needs a person: a mail to PODCAST_ALERT_RECIPIENTS, and a file in any case.

The file of a failed task, `data/alerts/DAG-DATE-TASK.txt`, is replaced when the same task of the same day fails again.
What was mailed is not mailed again within a day, word for word the same.
"""

import logging
import os
import time
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from include.settings import settings

log = logging.getLogger(__name__)

_DAY = 24 * 3600


def report_failure(context: Mapping[str, Any]) -> None:
    """Reports the task of an Airflow context. Never raises: a failure to report must not hide what failed."""
    try:
        _report(compose(context))
    except Exception:
        log.exception("the failure could not be reported")


def report(name: str, subject: str, text: str) -> None:
    """Reports something else, in the file `NAME.txt`. Never raises."""
    try:
        _report(_message(name, subject, text))
    except Exception:
        log.exception("%s could not be reported: %s", name, subject)


def compose(context: Mapping[str, Any]) -> EmailMessage:
    """The alert of a failed task: which, of which day, with which error, and what to do."""
    task = context["task_instance"]
    day = context.get("partition_key")
    clear = f"airflow dags clear {task.dag_id} --partition-key {day}" if day else f"airflow dags trigger {task.dag_id}"
    return _message(
        f"{task.dag_id}-{day or 'no partition'}-{task.task_id}",
        f"{task.dag_id}.{task.task_id} failed" + (f" for {day}" if day else ""),
        f"The task {task.task_id} of {task.dag_id} failed{f' for {day}' if day else ''}, try {task.try_number}, and "
        f"will not be tried again by itself.\n\nError: {context.get('exception')}\n\n"
        f"Read its log in the Airflow UI, mend the cause, and run it again:\n  {clear}\n",
    )


def _message(name: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = settings().sender
    message["To"] = ", ".join(settings().alert_recipients) or "operator"
    message["X-Alert"] = name
    message.set_content(text)
    return message


def _report(message: EmailMessage) -> None:
    log.error("%s", message["Subject"])
    file = settings().data_dir / "alerts" / f"{message['X-Alert']}.txt"
    text = f"{message['Subject']}\n\n{message.get_content()}"
    if file.is_file() and file.read_text() == text and time.time() - file.stat().st_mtime < _DAY:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    if settings().alert_recipients:
        try:
            _send(message)
        except Exception:
            os.utime(file, (0, 0))  # it has not been mailed, so the next one is
            raise


def _send(message: EmailMessage) -> None:
    from include.delivery.ledger import smtp_from_airflow

    with smtp_from_airflow().connect() as client:
        client.send_message(message)
