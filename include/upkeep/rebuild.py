"""dbt's tables and what is made of them, from a day on, without Airflow: for what changes the past."""

import os
from datetime import date
from typing import Any

from include.pages import site
from include.settings import PROJECT, Settings
from include.state import store
from include.warehouse import mirror, publication
from include.warehouse.database import open_warehouse


def derive(settings: Settings, day: date) -> None:
    """Both builds of a day, which derive again what was noted of others. Costs what the history since then costs."""
    for selector in ("claims", "digest"):
        build(settings, selector, day)


def build(settings: Settings, selector: str, day: date) -> None:
    """One `dbt build` of a selector. Raises RuntimeError with what failed."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with open_warehouse(settings.warehouse) as connection:
        mirror.bring(connection, store.of(settings))
    target, project = str(settings.data_dir / "dbt"), str(PROJECT / "dbt")
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target]
    os.environ["PODCAST_DAY"] = str(day)
    try:
        result = dbtRunner().invoke(["--quiet", "--log-path", target, "build", *places, "--selector", selector])
    finally:
        del os.environ["PODCAST_DAY"]
        if DuckDBConnectionManager._ENV:
            # It would keep the file open that is to be replaced.
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager.close_all_connections()
    if not result.success:
        results: Any = result.result or ()
        troubles = [f"{one.node.name}: {one.message}" for one in results if one.status not in ("pass", "success")]
        raise RuntimeError(f"dbt could not build {selector} of {day}: {'; '.join(troubles) or result.exception}")


def publish(settings: Settings) -> None:
    """The analysts' copy written anew, and every page that differs."""
    settings.published.unlink(missing_ok=True)
    publication.publish(settings.warehouse, settings.published, store.of(settings))
    with publication.open_copy(settings.published) as copy:
        site.write_site(copy, settings.site, settings.site_url)
