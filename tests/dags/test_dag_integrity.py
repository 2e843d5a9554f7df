"""The DAG files: what they must all be, and what they must never do when they are parsed."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from include.pipeline.handover import Handover

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / "dags").glob("*.py"))
HEAVY = {"pandas", "duckdb", "great_expectations", "langchain", "langchain_core", "onnxruntime", "dbt.cli.main"}

PROBE = """
import importlib.util, json, os, sys, time
import airflow.sdk
from airflow.sdk.definitions._internal.contextmanager import DagContext
from include.pipeline.wiring import Tag
reads = []
class Watched(dict):
    def __getitem__(self, key): reads.append(key); return dict.__getitem__(self, key)
    def get(self, key, default=None): reads.append(key); return dict.get(self, key, default)
found = {}
for path in sys.argv[1:]:
    began = time.perf_counter()
    environ, os.environ = os.environ, Watched(os.environ)
    spec = importlib.util.spec_from_file_location("dag_" + os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    DagContext.current_autoregister_module_name = spec.name
    spec.loader.exec_module(module)
    os.environ = environ
    seconds = time.perf_counter() - began
    found[path] = {"seconds": seconds}
described = {}
for dag, _ in DagContext.autoregistered_dags:
    described[dag.dag_id] = {
        "doc": dag.doc_md, "tags": sorted(dag.tags), "owner": dag.owner, "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs, "timetable": type(dag.timetable).__name__,
        "asset_in": [dag.timetable.asset_condition.name]
            if dag.timetable.asset_condition else [],
        "tasks": {
            task.task_id: {
                "pool": task.pool, "retries": task.retries, "outlets": [asset.name for asset in task.outlets],
                "backoff": task.retry_exponential_backoff, "notice": bool(task.on_failure_callback),
                "policy": type(task.retry_policy).__name__,
            } for task in dag.tasks
        },
    }
settings_read = sorted({key for key in reads if str(key).startswith(("PODCAST_", "AIRFLOW_CONN"))})
print(json.dumps({
    "files": found, "dags": described, "settings_read": settings_read, "tags": [str(tag) for tag in Tag],
    "modules": sorted(sys.modules),
}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """All DAG files parsed in a process of their own, as Airflow does it."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT), "AIRFLOW_HOME": str(home), "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, FILES)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_dags_are_there_and_no_file_fails_to_import(parsed):
    assert set(parsed["dags"]) == {
        "ingest_episodes",
        "transcribe_episodes",
        "build_claims",
        "score_claims",
        "publish_digest",
        "deliver_digests",
        "watch_service",
        "maintain_service",
    }


def test_every_file_is_parsed_within_two_seconds(parsed):
    assert {path: entry["seconds"] for path, entry in parsed["files"].items() if entry["seconds"] > 2} == {}


def test_nothing_heavy_and_no_setting_is_read_when_dags_are_parsed(parsed):
    assert HEAVY.intersection(parsed["modules"]) == set()
    assert "include.settings" not in parsed["modules"]
    assert parsed["settings_read"] == []


def test_every_dag_has_doc_owner_and_known_tags_and_runs_one_day_at_a_time(parsed):
    for name, dag in parsed["dags"].items():
        assert "**When it fails**" in dag["doc"], name
        assert dag["owner"] == "podcast-insights", name
        assert dag["tags"], name
        assert set(dag["tags"]) <= set(parsed["tags"]), name
        assert (dag["catchup"], dag["max_active_runs"]) == (False, 1), name


def test_every_task_retries_with_backoff_and_tells_when_it_fails(parsed):
    for name, dag in parsed["dags"].items():
        for task, entry in dag["tasks"].items():
            assert entry["retries"] >= 2, f"{name}.{task}"
            assert entry["backoff"], f"{name}.{task}"
            assert entry["notice"], f"{name}.{task}"


def test_each_edge_of_the_chain_is_one_asset_with_one_producer(parsed):
    outlets = {
        name: [asset for task in dag["tasks"].values() for asset in task["outlets"]]
        for name, dag in parsed["dags"].items()
    }
    assert outlets == {
        "ingest_episodes": ["podcast_episodes"],
        "transcribe_episodes": ["podcast_transcripts"],
        "build_claims": ["podcast_claims"],
        "score_claims": ["podcast_scores"],
        "publish_digest": [],
        "deliver_digests": [],
        "watch_service": [],
        "maintain_service": [],
    }
    assert {name: dag["asset_in"] for name, dag in parsed["dags"].items()} == {
        "ingest_episodes": [],
        "transcribe_episodes": ["podcast_episodes"],
        "build_claims": ["podcast_transcripts"],
        "score_claims": ["podcast_claims"],
        "publish_digest": ["podcast_scores"],
        "deliver_digests": [],
        "watch_service": [],
        "maintain_service": [],
    }


def test_every_task_that_opens_the_warehouse_is_in_the_writers_pool_and_no_other_is(parsed):
    through_dbt = {"build_claim_models", "build_digest_models", "document_tables"}
    writes = _steps_that_open_the_warehouse() | through_dbt | {"back_up", "compact_warehouse"}
    for name, dag in parsed["dags"].items():
        for task, entry in dag["tasks"].items():
            assert (entry["pool"] == "duckdb_writer") == (task in writes), f"{name}.{task}"


def test_a_dag_file_fits_on_a_screen_and_holds_only_wiring():
    for file in FILES:
        assert len(file.read_text().splitlines()) <= 70, file.name
        imported = {
            node.module or "" for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)
        }
        assert imported <= {
            "airflow.sdk",
            "include.pipeline",
            "include.pipeline.wiring",
            "include.pipeline.delivery_wish",
            "plugins.assembly_ai.operator",
        }, file.name


def test_what_a_step_leaves_is_written_and_read_by_tasks_of_its_own_dag(parsed):
    found = []
    for name, dag in parsed["dags"].items():
        for handover in vars(importlib.import_module(f"include.pipeline.{name}")).values():
            if isinstance(handover, Handover):
                found.append(handover.name)
                assert {handover.writer, *handover.readers} <= set(dag["tasks"]), f"{name}: {handover.name}"
    assert len(found) == len(set(found)) == 12


def _steps_that_open_the_warehouse() -> set[str]:
    """The functions of the steps that call open_warehouse, or hand it on, or publish (which opens it)."""
    return {
        function.name
        for file in FILES
        for function in ast.parse((PROJECT / "include" / "pipeline" / file.name).read_text()).body
        if isinstance(function, ast.FunctionDef)
        and any(
            (isinstance(node, ast.Name) and node.id == "open_warehouse")
            or (isinstance(node, ast.Attribute) and node.attr == "publish")
            for node in ast.walk(function)
        )
    }


def test_a_task_gives_up_at_once_where_no_retry_helps_and_tries_again_elsewhere(monkeypatch):
    from airflow.sdk.definitions.retry_policy import RetryAction
    from pydantic import ValidationError

    from include.models.questions import UnusableModel
    from include.pipeline.run import Run
    from include.pipeline.wiring import dag_settings
    from include.settings import Settings

    policy = dag_settings("")["default_args"]["retry_policy"]
    with pytest.raises(ValueError, match="partition key") as keyless:
        Run.of(None)
    monkeypatch.setenv("PODCAST_DAILY_BUDGET_USD", "much")
    with pytest.raises(ValidationError) as wrong_setting:
        Settings()
    for error in (keyless.value, wrong_setting.value, UnusableModel("Check PODCAST_LLM_MODEL.")):
        decision = policy.evaluate(error, 1, 3)
        assert decision.action is RetryAction.FAIL
        assert decision.reason == str(error), "what to do is what the operator reads"
    assert policy.evaluate(OSError("no route"), 1, 3).action is RetryAction.DEFAULT
