"""dbt's documentation of the tables is one page, and is written again only when the models have changed."""

from pathlib import Path

import pytest

from include.pages.table_docs import write_table_docs

PROFILE = """
podcasts:
  target: local
  outputs:
    local: {type: duckdb, path: "{{ env_var('PODCAST_DATA_DIR') }}/warehouse.duckdb"}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("PODCAST_DATA_DIR", str(tmp_path))
    folder = tmp_path / "dbt"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: small\nversion: '1.0'\nprofile: podcasts\nflags: {send_anonymous_usage_stats: false}\n"
    )
    (folder / "profiles.yml").write_text(PROFILE)
    (folder / "models" / "harbours.sql").write_text("select 'Rotterdam' as name")
    return folder


def test_a_page_of_other_models_is_replaced_once(project, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.html").write_text("the old page")
    (docs / "project.sha256").write_text("of other models")

    assert write_table_docs(docs, project)
    assert "harbours" in (docs / "index.html").read_text()
    assert not write_table_docs(docs, project)
    assert {file.name for file in docs.iterdir()} == {"index.html", "project.sha256"}


def test_a_project_that_dbt_cannot_read_leaves_the_old_page(project, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.html").write_text("the old page")
    (project / "models" / "broken.sql").write_text("select * from {{ ref('nothing') }}")

    with pytest.raises(RuntimeError, match="nothing"):
        write_table_docs(docs, project)

    assert (docs / "index.html").read_text() == "the old page"
    assert not (docs / "project.sha256").exists()
