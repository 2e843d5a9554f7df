"""Makes sure, whenever a component of Airflow starts, that the one-slot pool of the warehouse's writers exists."""

from typing import ClassVar

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from include.wiring import WRITER_POOL


class PoolListener:
    @hookimpl
    def on_starting(self, component):
        if not hasattr(component, "job_type"):
            return  # a task, which may not touch the metadata database
        from airflow.models.pool import Pool
        from sqlalchemy.exc import IntegrityError

        try:
            Pool.create_or_update_pool(
                WRITER_POOL, slots=1, description="Who opens the warehouse file: one at a time.", include_deferred=False
            )
        except IntegrityError:
            pass  # another component that starts at the same moment has made it


class WriterPool(AirflowPlugin):
    name = "writer_pool"
    listeners: ClassVar[list] = [PoolListener()]
