"""Adds "Digest" to the navigation of Airflow's UI: the five of a day, how it went, and the pages and documents of it.

Every component of Airflow loads this file, so the application behind it is imported by the API server alone, when it
is first asked for something. Airflow does not guard the applications of plugins: this one asks on every request
whether the caller may see the DAG that makes what it shows.
"""

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/digest"


class DigestApp:
    """The application, made on its first request."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            from airflow.api_fastapi.core_api.security import requires_access_dag

            from include.pages.operator_view import operator_view

            self._app = operator_view(requires_access_dag("GET", param_dag_id="publish_digest"))
        await self._app(scope, receive, send)


class DigestView(AirflowPlugin):
    name = "digest_view"
    fastapi_apps = [{"app": DigestApp(), "url_prefix": PREFIX, "name": "Digest"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Digest",
            # The address as the browser sees it, under whatever path Airflow is served.
            "href": f"{urlsplit(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}/",
            "destination": "nav",
            "url_route": "digest",
            "nav_top_level": True,
        }
    ]
