"""The Data Docs: what Great Expectations found at the doors, a page a batch, and an index that needs no script.

Great Expectations renders the pages; what is put in here is what it does not do: values of rows are escaped and cut,
no page asks the vendor's server for anything, and the index lists the batches that are kept, whatever process checked
them.
"""

import functools
import html
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import great_expectations
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.render import RenderedDocumentContent
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

PAGES_KEPT = 240
"""Batches in the Data Docs, the last checked ones: sixty days of four doors."""

_EXAMPLES = 20
_SHOWN = 200
_PAGES = "validations/*/*/*/*.html"
_TITLE = re.compile("<title>(.*?)</title>")
_REPORTING = re.compile(r"<img[^>]*great-expectations-web-assets[^>]*>")
"""The logo on each page, which the vendor's server hands out and which tells it of every look."""


@functools.cache
def context(docs: Path) -> EphemeralDataContext:
    """A context of this process with one site, whose files lie under `docs`. Reports nothing to anybody."""

    def ours(name: str) -> dict[str, str]:
        return {"module_name": __name__, "class_name": name}

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        data_docs_sites={
            "doors": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "root_directory": str(docs),
                    "base_directory": "",
                },
                "site_index_builder": ours("Index") | {"folder": str(docs)},
                "site_section_builders": {
                    "validations": {"renderer": ours("HarmlessResults"), "view": ours("SilentPage")},
                    "expectations": {"view": ours("SilentPage")},
                    "profiling": "None",
                },
            }
        },
    )
    return great_expectations.get_context(project_config=config, mode="ephemeral")


class HarmlessResults(ValidationResultsPageRenderer):
    """What the page of a batch shows, with what came from outside made harmless; its title says how the check ended."""

    def render(self, validation_results: Any, suite_parameters: Any = None) -> RenderedDocumentContent:
        for check in validation_results.results:
            check.result = _harmless(check.result)
            check.exception_info = _harmless(check.exception_info)
        page = super().render(validation_results, suite_parameters)
        verdict = "every rule held" if validation_results.success else "rules were broken"
        page.page_title = f"{self._parse_run_values(validation_results)[0]} {validation_results.suite_name}: {verdict}"
        return page


class SilentPage(DefaultJinjaPageView):
    """A page that reports to nobody who looks at it, under the title that it was given."""

    def render(self, document: Any, template: Any = None, **options: Any) -> str:
        page = _REPORTING.sub("", super().render(document, template, **options))
        return _TITLE.sub(f"<title>{document.page_title}</title>", page, count=1)


class Index:
    """A plain list of the batches that are kept, the last day first. Costs some 0.1 ms for each."""

    def __init__(self, folder: str, **_: Any):
        self._folder = Path(folder)

    def build(self, build_index: bool = True) -> tuple[str, None]:
        pages = sorted(self._folder.glob(_PAGES), key=lambda page: page.stat().st_mtime, reverse=True)
        for page in pages[PAGES_KEPT:]:
            shutil.rmtree(page.parent.parent)
        kept = sorted(pages[:PAGES_KEPT], key=lambda page: (page.parts[-3], page.parts[-4]), reverse=True)
        batches = "".join(f"<li>{self._entry(page)}</li>" for page in kept)
        index = self._folder / "index.html"
        index.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>Doors</title><ul>{batches}</ul>")
        return str(index), None

    def _entry(self, page: Path) -> str:
        with page.open(errors="replace") as text:
            title = _TITLE.search(text.read(2_000))
        day, door = page.parts[-3], page.parts[-4]
        verdict = title[1].partition(": ")[2] if title else "the check was interrupted; run the day again"
        return f'<a href="{page.relative_to(self._folder).as_posix()}">{day} {door}</a>: {verdict}'


def _harmless(value: Any) -> Any:
    """Values from outside as a page may show them: Great Expectations puts them into its HTML as they are."""
    if isinstance(value, Mapping):
        return {name: _harmless(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(entry) for entry in value[:_EXAMPLES]]
    if value is None or isinstance(value, int | float):
        return value
    return html.escape(str(value)[:_SHOWN])
