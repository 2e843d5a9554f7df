"""Makes sure, whenever a component of Airflow starts, that the one-slot pool of the warehouse's writers exists."""

import contextlib

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from include.pipeline.wiring import WRITER_POOL


class PoolListener:
    @hookimpl
    def on_starting(self, component):
        if not hasattr(component, "job_type"):
            return  # a task, which may not touch the metadata database
        from airflow.models.pool import Pool
        from sqlalchemy.exc import IntegrityError

        # Another component that starts at the same moment may have made it.
        with contextlib.suppress(IntegrityError):
            Pool.create_or_update_pool(
                WRITER_POOL, slots=1, description="Who opens the warehouse file: one at a time.", include_deferred=False
            )


class WriterPool(AirflowPlugin):
    name = "writer_pool"
    listeners = [PoolListener()]  # noqa: RUF012
