"""Makes sure, whenever a scheduler starts, that the one-slot pool of the warehouse's writers exists."""

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from include.wiring import WRITER_POOL


class _PoolListener:
    @hookimpl
    def on_starting(self, component):
        if component.job_type != "SchedulerJob":
            return
        from airflow.models.pool import Pool

        Pool.create_or_update_pool(
            WRITER_POOL, slots=1, description="Whoever opens the warehouse file: one at a time.", include_deferred=False
        )


class WriterPool(AirflowPlugin):
    name = "writer_pool"
    listeners = [_PoolListener()]
