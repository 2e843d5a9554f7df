"""Telling the operator that a task failed for good: a mail to PODCAST_ALERT_RECIPIENTS, and a file in any case.

The file, `data/alerts/DAG-DATE-TASK.txt`, is replaced when the same task of the same day fails again.
"""

import logging
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from include.settings import settings

log = logging.getLogger(__name__)


def report_failure(context: Mapping[str, Any]) -> None:
    """Reports the task of an Airflow context. Never raises: a failure to report must not hide what failed."""
    try:
        message = compose(context)
        folder = settings().data_dir / "alerts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{message['X-Failed-Task']}.txt").write_text(f"{message['Subject']}\n\n{message.get_content()}")
        log.error("%s", message["Subject"])
        if settings().alert_recipients:
            _send(message)
    except Exception:
        log.exception("the failure could not be reported")


def compose(context: Mapping[str, Any]) -> EmailMessage:
    """The alert of a failed task: which, of which day, with which error, and what to do."""
    task = context["task_instance"]
    day = context.get("partition_key") or "no partition"
    message = EmailMessage()
    message["Subject"] = f"{task.dag_id}.{task.task_id} failed for {day}"
    message["From"] = settings().sender
    message["To"] = ", ".join(settings().alert_recipients) or "operator"
    message["X-Failed-Task"] = f"{task.dag_id}-{day}-{task.task_id}"
    message.set_content(
        f"The task {task.task_id} of {task.dag_id} failed for {day}, try {task.try_number}, and will not be tried "
        f"again by itself.\n\nError: {context.get('exception')}\n\n"
        f"Read its log in the Airflow UI, mend the cause, and clear the run:\n"
        f"  airflow dags clear {task.dag_id} --partition-key {day}\n"
    )
    return message


def _send(message: EmailMessage) -> None:
    from include.delivery import smtp_from_airflow

    with smtp_from_airflow().connect() as client:
        client.send_message(message)
