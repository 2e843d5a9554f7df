"""Telling the operator what needs a person: a mail to PODCAST_ALERT_RECIPIENTS, and a file in any case.

The file of a failed task, `data/alerts/DAG-DATE-TASK.txt`, is replaced when the same task of the same day fails again.
What was mailed is not mailed again within a day, word for word the same.
"""

import logging
import os
import time
from collections.abc import Mapping
from html import escape
from typing import Any

from include.addresses import without_secrets
from include.settings import settings

log = logging.getLogger(__name__)

_DAY = 24 * 3600


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


def report(name: str, subject: str, text: str) -> None:
    """Reports something in the file `NAME.txt`, and by mail. Never raises: a failure to report must not hide what
    failed."""
    try:
        log.error("%s", subject)
        _report(name, subject, text)
    except Exception:
        log.exception("%s could not be reported: %s", name, subject)


def _report(name: str, subject: str, text: str) -> None:
    file = settings().data_dir / "alerts" / f"{name}.txt"
    text = without_secrets(text)
    content = f"{subject}\n\n{text}"
    if file.is_file() and file.read_text() == content and time.time() - file.stat().st_mtime < _DAY:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    if settings().alert_recipients:
        try:
            _mail(name, subject, text)
        except Exception:
            os.utime(file, (0, 0))  # it has not been mailed, so the next one is
            raise


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
