"""
### Deliver digests

**What** — sends the mails that wait: those of recipients with a send hour, and those that a mail server could not take
before. Beside the chain, not part of it.

**When** — every quarter of an hour; where nothing is due it ends after a look at the ledger of mails.

**Reads** the ledger of mails, the published copy. **Writes** the ledger, which analysts find as `ops.deliveries` and
`ops.sent_insights`, and mails through the connection `smtp_default`, or into `data/outbox/` where there is none.

**Rerun** — trigger it; what was sent is not sent again. What is not sent within a day of when it was due is given up,
marked as `missed`, and told of in an alert. With `PODCAST_SCHEDULE=off` only a run triggered by hand sends.

**When it fails** — `send_due_mail` says which delivery is in doubt and how to settle it, or what the mail server said.
"""

from airflow.sdk import dag, task

from include.pipeline.wiring import Tag, dag_settings, skip_unless_wanted


@dag(schedule="*/15 * * * *", **dag_settings(__doc__, Tag.DIGEST, Tag.MAIL))
def deliver_digests():
    @task.short_circuit
    def mail_is_due(dag_run=None):
        from include.pipeline import deliver_digests as steps

        skip_unless_wanted(dag_run)
        return steps.mail_is_due()

    @task
    def send_due_mail():
        from include.pipeline import deliver_digests as steps

        return steps.send_due_mail()

    mail_is_due() >> send_due_mail()


deliver_digests()
