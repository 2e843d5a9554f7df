"""Airflow on this machine: one `airflow standalone` on SQLite, its state under the data directory.

`make run`, `make up`, `make down` and `make backfill` are the four things it does; the tests use the same class, so
what they see is what a person sees.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dotenv
import httpx
import psutil

from include.local.sample import server as sample
from include.settings import PROJECT, Settings
from include.warehouse import partition

CHAIN = ("ingest_episodes", "transcribe_episodes", "build_claims", "score_claims", "publish_digest")
_POLL_SECONDS = 1.0
_START_SECONDS = 180.0


class RunFailed(Exception):
    """A run of the chain failed; the message names the DAG and task and ends in the tail of its log."""


class LocalAirflow:
    """Airflow's processes for one data directory, and what the REST API is asked of them."""

    def __init__(self, data_dir: Path, port: int, extra: dict[str, str] | None = None):
        self.data_dir = data_dir
        self.home = data_dir / "airflow"
        self.port = port
        self.log = self.home / "standalone.log"
        self._pid_file = self.home / "standalone.pid"
        self._extra = extra or {}
        self._log_ports = (free_port(), free_port())
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0, trust_env=False)

    def environment(self) -> dict[str, str]:
        """The whole environment of Airflow's processes: where things are, and nothing sent to anyone."""
        path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {
            **os.environ,
            **self._extra,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": path,
            "PODCAST_DATA_DIR": str(self.data_dir),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{self.port}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self._log_ports[0]),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self._log_ports[1]),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
            "DO_NOT_TRACK": "1",
            "GX_ANALYTICS_ENABLED": "False",
        }

    def start(self) -> None:
        """Starts Airflow and waits until its scheduler and the five DAGs are there: some 25 seconds.

        Raises RuntimeError where it already runs for this data directory, or does not come up.
        """
        if running := self.pid():
            raise RuntimeError(
                f"Airflow is already running for {self.data_dir} (process {running}). Stop it with `make down` first."
            )
        self.home.mkdir(parents=True, exist_ok=True)
        self._client.headers.pop("Authorization", None)  # the tokens of an earlier start count no more
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"],
                env=self.environment(),
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Airflow did not start; the end of {self.log}:\n{_tail(self.log)}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stops every process of it; does nothing where none runs."""
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            group = self.pid()
            if group is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, sent)
            deadline = time.monotonic() + 8
            while self.pid() and time.monotonic() < deadline:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(group, os.WNOHANG)
                time.sleep(0.2)
        self._pid_file.unlink(missing_ok=True)

    def pid(self) -> int | None:
        """The process group of a running Airflow, None where there is none."""
        try:
            group = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        for member in _process_group(group):
            if "airflow" in member:
                return group
        return None

    def trigger(self, dag_id: str, day: date, conf: dict[str, Any] | None = None) -> str:
        """Starts a run of a DAG for one day and returns its run id."""
        body = {"logical_date": None, "partition_key": day.isoformat(), "conf": conf or {}}
        return self.call("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"]

    def backfill(self, first: date, last: date, again: bool = True) -> int:
        """Starts a backfill of `ingest_episodes` over both days and all between; days that ran before run again."""
        body = {
            "dag_id": CHAIN[0],
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T00:00:00Z",
            "reprocess_behavior": "completed" if again else "none",
            "max_active_runs": 1,
            "run_backwards": False,
        }
        return self.call("POST", "backfills", json=body)["id"]

    def runs(self, dag_id: str, day: date) -> list[dict]:
        """The runs of a DAG for one day, oldest first."""
        found = self.call("GET", f"dags/{dag_id}/dagRuns", params={"order_by": "id", "limit": 500})["dag_runs"]
        return [run for run in found if run["partition_key"] == day.isoformat()]

    def tasks(self, dag_id: str, run_id: str) -> list[dict]:
        """The task instances of a run."""
        return self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]

    def wait_for_chain(
        self, day: date, earlier: dict[str, int], say: Callable[[str], None], timeout: timedelta = timedelta(hours=3)
    ) -> None:
        """Returns when the day has gone through all five DAGs, telling of each task as it ends.

        `earlier` counts the runs each DAG had for that day before (see `run_counts`). Raises RunFailed where one of
        the new ones fails, TimeoutError where they take longer than `timeout`.
        """
        told: set[tuple[str, str, int, str]] = set()
        deadline = time.monotonic() + timeout.total_seconds()
        for dag_id in CHAIN:
            while True:
                new = self.runs(dag_id, day)[earlier.get(dag_id, 0) :]
                for run in new:
                    self._tell(dag_id, run, told, say)
                if new and all(run["state"] in ("success", "failed") for run in new):
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{dag_id} of {day} is not done after {timeout}; see {self.log}")
                time.sleep(_POLL_SECONDS)
            for run in new:
                if run["state"] == "failed":
                    raise RunFailed(self._failure(dag_id, run["dag_run_id"]))

    def run_counts(self, day: date) -> dict[str, int]:
        """How many runs each DAG of the chain has had for a day."""
        return {dag_id: len(self.runs(dag_id, day)) for dag_id in CHAIN}

    def call(self, method: str, path: str, **arguments: Any) -> dict:
        """An answer of Airflow's REST API. Raises RuntimeError with what it said where it refuses."""
        if "Authorization" not in self._client.headers:
            token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
            self._client.headers["Authorization"] = f"Bearer {token}"
        answer = self._client.request(method, f"/api/v2/{path}", **arguments)
        if answer.is_error:
            raise RuntimeError(f"Airflow refused {method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError, RuntimeError, KeyError):
            health = self._client.get("/api/v2/monitor/health").json()
            if health["scheduler"]["status"] == "healthy":
                known = {dag["dag_id"] for dag in self.call("GET", "dags")["dags"]}
                return known.issuperset(CHAIN)
        return False

    def _tell(self, dag_id: str, run: dict, told: set, say: Callable[[str], None]) -> None:
        for task in self.tasks(dag_id, run["dag_run_id"]):
            state = task["state"]
            mark = (run["dag_run_id"], task["task_id"], task["try_number"], state)
            if state not in ("success", "failed", "up_for_retry", "skipped") or mark in told:
                continue
            told.add(mark)
            seconds = f"{task['duration'] or 0:5.1f} s"
            outcome = "" if state == "success" else f"  {state.upper()} (try {task['try_number']})"
            say(f"{dag_id:20} {task['task_id']:26} {seconds}{outcome}")

    def _failure(self, dag_id: str, run_id: str) -> str:
        for task in self.tasks(dag_id, run_id):
            if task["state"] == "failed":
                logs = sorted(self.home.glob(f"logs/dag_id={dag_id}/run_id={run_id}/task_id={task['task_id']}/*.log"))
                tail = _tail(logs[-1]) if logs else "(no log)"
                return f"{dag_id}.{task['task_id']} failed. The end of its log:\n{tail}"
        return f"{dag_id} failed in run {run_id}; see {self.log}"


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def feeds(source: str) -> Iterator[dict[str, str]]:
    """The settings that name the feeds: those of `source`, or, where it is empty, of the sample, served meanwhile.

    The sample has no news to wait for, so with it the daily schedule is off.
    """
    if source:
        yield {"PODCAST_FEEDS": source if "://" in source else str(Path(source).expanduser().resolve())}
        return
    with sample.serve() as url:
        host = url.split("/")[2]
        allowed = [*filter(None, [os.environ.get("PODCAST_ALLOW_HOSTS")]), host]
        yield {"PODCAST_FEEDS": f"{url}/feeds.txt", "PODCAST_ALLOW_HOSTS": ",".join(allowed), "PODCAST_SCHEDULE": "off"}


def run_day(day: date | None, source: str) -> int:
    """Runs one day from feeds to mail and shows what it gave; the exit code."""
    from include.local import screen

    settings = Settings()
    day = day or (partition.last_complete_day() if source else date.fromisoformat(sample.SAMPLE_DATE))
    started = time.monotonic()

    def say(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        print(f"{minutes:3d}:{seconds:02d}  {line}", flush=True)

    with feeds(source) as extra:
        airflow = LocalAirflow(settings.data_dir, free_port(), {**extra, "PODCAST_SCHEDULE": "off"})
        say(f"starting Airflow for {day}, feeds {extra['PODCAST_FEEDS']}")
        airflow.start()
        try:
            say(f"Airflow is up on http://127.0.0.1:{airflow.port}")
            earlier = airflow.run_counts(day)
            airflow.trigger(CHAIN[0], day)
            airflow.wait_for_chain(day, earlier, say)
        except (RunFailed, TimeoutError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        finally:
            airflow.stop()
    say("done; Airflow is stopped")
    screen.show(day, settings)
    return 0


def up(port: int, source: str) -> int:
    """Runs Airflow with its UI until it is stopped."""
    with feeds(source) as extra:
        airflow = LocalAirflow(Settings().data_dir, port, extra)
        print(f"Starting Airflow; its log is {airflow.log}", flush=True)
        airflow.start()
        print(f"Airflow is up: http://127.0.0.1:{port} (no password). Feeds: {extra['PODCAST_FEEDS']}", flush=True)
        print("Ctrl-C or `make down` stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while airflow.pid():
                time.sleep(_POLL_SECONDS)
        airflow.stop()
    return 0


def backfill(first: date, last: date, source: str) -> int:
    """Runs every day of a range through Airflow's own backfill; no mail is sent."""
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    if not days:
        print(f"FROM={first} lies after TO={last}; nothing to do.", file=sys.stderr)
        return 2
    with feeds(source) as extra:
        airflow = LocalAirflow(Settings().data_dir, free_port(), {**extra, "PODCAST_SCHEDULE": "off"})
        print(f"Starting Airflow for {len(days)} days, feeds {extra['PODCAST_FEEDS']}", flush=True)
        airflow.start()
        try:
            earlier = {day: airflow.run_counts(day) for day in days}
            airflow.backfill(first, last)
            for number, day in enumerate(days, 1):
                airflow.wait_for_chain(day, earlier[day], lambda line: None)
                print(f"{number:4d} of {len(days)}: {day} is done", flush=True)
        except (RunFailed, TimeoutError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        finally:
            airflow.stop()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m include.local.standalone", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("run", "one day, feeds to mail"),
        ("up", "Airflow with its UI"),
        ("backfill", "a range of days"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument(
            "--feeds", default=os.environ.get("PODCAST_FEEDS", ""), help="path or URL; else the sample"
        )
        if name == "run":
            command.add_argument("--date", type=_day, help="YYYY-MM-DD")
        elif name == "up":
            command.add_argument("--port", type=int, default=8080)
        else:
            command.add_argument("--from", dest="first", type=_day, required=True, help="YYYY-MM-DD")
            command.add_argument("--to", dest="last", type=_day, required=True, help="YYYY-MM-DD")
    commands.add_parser("down", help="stop what `up` started")
    dotenv.load_dotenv(PROJECT / ".env")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "run":
            return run_day(chosen.date, chosen.feeds)
        if chosen.command == "up":
            return up(chosen.port, chosen.feeds)
        if chosen.command == "backfill":
            return backfill(chosen.first, chosen.last, chosen.feeds)
        LocalAirflow(Settings().data_dir, 8080).stop()
        return 0
    except (RuntimeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _day(text: str) -> date | None:
    """A date argument; an empty one counts as not given."""
    if not text:
        return None
    try:
        return partition.day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _process_group(group: int) -> Iterator[str]:
    """The command lines of the processes of a group."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                yield " ".join(process.cmdline())


def _tail(file: Path, lines: int = 40) -> str:
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


if __name__ == "__main__":
    sys.exit(main())
