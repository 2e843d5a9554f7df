"""
### Watch the service

**What** — looks whether something needs a person that fails no task: no digest by its hour, a feed that fails for a
week, a cap that left something out, a mail in doubt or refused, a disk that fills up. Each is told once, with what to
do, and again when it has changed or a week has passed.

**When** — every hour, five minutes past; beside the chain, not part of it.

**Reads** the published copy, the notes of what ran, the disk. **Writes** `data/alerts/`, a mail to
`PODCAST_ALERT_RECIPIENTS` and messages to `PODCAST_ALERT_URLS`.

**Rerun** — trigger it; with the configuration `{"trial": true}` it sends a trial alert instead. With
`PODCAST_SCHEDULE=off` only a run triggered by hand looks.

**When it fails** — the log says why; what was found before it is in `data/alerts/`. Where Airflow itself stands still,
nothing here speaks: let another machine ask `/api/v2/monitor/health`.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import Tag, dag_settings, skip_unless_wanted


@dag(schedule="5 * * * *", **dag_settings(__doc__, Tag.WATCH))
def watch_service():
    @task
    def look_around(dag_run=None):
        from include.pipeline import watch_service as steps

        skip_unless_wanted(dag_run)
        return steps.try_alerts() if (dag_run.conf or {}).get("trial") else steps.look_around()

    look_around()


watch_service()
