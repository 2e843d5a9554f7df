"""The deployment that docker-compose.yaml and the Dockerfile describe.

No container engine runs where these tests run. So the files are checked as files, and every Airflow service's own
command is run as a process, with its own environment, against a PostgreSQL server from the system's packages. What
that leaves out (the images, the volumes, the network between containers) is named in docs/deployment.md.
"""

import base64
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import aiosmtpd.controller
import dotenv
import pytest
import yaml  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from include.pipeline.wiring import WRITER_POOL
from include.settings import Settings
from tests.postgres import needs_postgres, postgres

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker-compose.yaml"
DOCUMENT = PROJECT / "docs" / "deployment.md"
DAGS = {
    "ingest_episodes",
    "transcribe_episodes",
    "build_claims",
    "score_claims",
    "publish_digest",
    "deliver_digests",
    "watch_service",
    "maintain_service",
}
AIRFLOW_SERVICES = ("init", "api-server", "scheduler", "dag-processor", "triggerer")
SECRETS = ("postgres_password", "state_password", "admin_password", "fernet_key", "jwt_secret", "api_secret_key")
KEY_FILES = ("assemblyai.env", "tasks.env")
IN_KEY_FILES = {"PODCAST_ALERT_URLS", "PODCAST_UNSUBSCRIBE_SECRET"}
GRACE_SECONDS = 60
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\})")


def composed(variables: Mapping[str, str]) -> dict[str, Any]:
    """The Compose file as Compose would read it with these variables; a missing required one is a KeyError."""

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["kind"] == ":?" and not variables.get(match["name"]):
            raise KeyError(f"{match['name']}: {match['rest']}")
        return variables.get(match["name"]) or (match["rest"] if match["kind"] == ":-" else "")

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: [(name, variables.get(name) if raw is None else resolved(raw)) for name, raw in node[key].items()]
                if key == "environment"
                else resolved(child)
                for key, child in node.items()
            }
        if isinstance(node, list):
            return [resolved(child) for child in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    document = resolved(yaml.safe_load(COMPOSE.read_text()))
    for service in document["services"].values():
        pairs = service.get("environment", [])
        service["environment"] = {name: text for name, text in pairs if text is not None}
    return document


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """What an operator's .env holds."""
    return {name: value or "" for name, value in dotenv.dotenv_values(PROJECT / ".env.example").items()}


@pytest.fixture(scope="module")
def kept() -> dict[str, str]:
    """What an operator's files under secrets/ hold."""
    values = {name: secrets.token_hex(32) for name in SECRETS}
    values["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    keys = {"assemblyai.env": f"AIRFLOW_CONN_ASSEMBLYAI_DEFAULT=assemblyai://:{secrets.token_hex(16)}@\n"}
    keys["tasks.env"] = f"PODCAST_ALERT_URLS='json://127.0.0.1:9/{secrets.token_hex(16)} ntfy://127.0.0.1:9/a&b'\n"
    return values | keys


@pytest.fixture(scope="module")
def services(variables: dict[str, str]) -> dict[str, Any]:
    return composed(variables)["services"]


# ---- The files


def test_the_compose_file_follows_the_compose_specification():
    pytest.importorskip("check_jsonschema", reason="the package check-jsonschema carries the published schema")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    result = subprocess.run(check, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_compose_file_holds_no_secret_and_takes_each_from_a_file(services: dict[str, Any]):
    document = yaml.safe_load(COMPOSE.read_text())
    assert document["secrets"] == {name: {"file": f"./secrets/{name}"} for name in (*SECRETS, *KEY_FILES)}
    for name, service in services.items():
        for key in service["environment"]:
            assert not re.search(r"PASSWORD$|SECRET$|SECRET_KEY$|_KEY$|SQL_ALCHEMY_CONN$|URLS$", key), f"{name}: {key}"
        assert not make_url(service["environment"].get("PODCAST_STATE_URL", "sqlite://")).password
    assert "secrets/" in (PROJECT / ".gitignore").read_text().splitlines()


def test_every_service_is_confined_and_comes_back_after_a_restart(services: dict[str, Any]):
    for name, service in services.items():
        assert service["user"].split(":")[0] not in {"", "0", "root"}, f"{name} runs as root"
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
        assert service["mem_limit"], name
        assert name == "mailpit" or service["stop_grace_period"] == f"{GRACE_SECONDS}s", name
        assert service["restart"] == ("no" if name == "init" else "unless-stopped"), name
        assert name == "init" or service["healthcheck"]["test"][0] == "CMD", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_services_start_after_what_they_need(services: dict[str, Any]):
    for name in set(AIRFLOW_SERVICES) - {"init"}:
        needs = services[name]["depends_on"]
        assert needs["postgres"] == {"condition": "service_healthy"}
        assert needs["init"] == {"condition": "service_completed_successfully"}
    assert services["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_every_mounted_volume_is_declared_and_made_in_the_image_for_its_user(services: dict[str, Any]):
    declared = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    mounts = [mount.split(":")[:2] for service in services.values() for mount in service.get("volumes", [])]
    assert {volume for volume, _ in mounts} == declared
    prepared = next(text for word, text in dockerfile() if word == "RUN" and "install --directory" in text)
    for _, path in (mount for name in AIRFLOW_SERVICES for mount in (m.split(":") for m in services[name]["volumes"])):
        assert path in prepared.split(), f"{path} would belong to root"


def test_the_example_lists_every_setting_with_its_default_and_an_explanation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(PROJECT)
    for name in [name for name in os.environ if name.startswith("PODCAST_")]:
        monkeypatch.delenv(name)
    example = PROJECT / ".env.example"
    listed = {name for name in dotenv.dotenv_values(example) if name.startswith("PODCAST_")}
    assert listed == {f"PODCAST_{field}".upper() for field in Settings.model_fields}
    assert Settings(_env_file=example) == Settings(_env_file=None)  # type: ignore[call-arg]
    lines = example.read_text().splitlines()
    assert not [line for line in lines if line and not re.match(r"#|[A-Z_]+=", line)]
    unexplained = [line for before, line in itertools.pairwise(lines) if line[:1].isalpha() and before[:2] != "# "]
    assert not unexplained


def test_the_containers_get_every_setting_and_every_variable_that_the_example_names(services: dict[str, Any]):
    text = COMPOSE.read_text()
    named = set(dotenv.dotenv_values(PROJECT / ".env.example")) - IN_KEY_FILES
    assert not [name for name in named if not re.search(rf"\b{name}\b", text)]
    document = yaml.safe_load(text)
    handed_on = {
        name for name in [*document["x-tasks"], *document["x-airflow"]["environment"]] if name.startswith("PODCAST_")
    }
    assert handed_on == {f"PODCAST_{field}".upper() for field in Settings.model_fields} - IN_KEY_FILES


def test_each_service_gets_only_the_secrets_that_it_uses(services: dict[str, Any]):
    users = {
        "postgres_password": {"postgres", *AIRFLOW_SERVICES},
        "state_password": {"init", "scheduler"},
        "admin_password": {"init"},
        "fernet_key": {"init", "api-server", "scheduler", "triggerer"},
        "jwt_secret": {"init", "api-server", "scheduler", "triggerer"},
        "api_secret_key": {"init", "api-server", "scheduler", "triggerer"},
        "assemblyai.env": {"scheduler", "triggerer"},
        "tasks.env": {"scheduler"},
    }
    for secret, known in users.items():
        assert {name for name, service in services.items() if secret in service.get("secrets", [])} == known, secret


def test_the_code_in_the_image_belongs_to_root():
    copies = [line for line in (PROJECT / "Dockerfile").read_text().splitlines() if line.startswith("COPY . ")]
    assert copies == ["COPY . ."]


def test_the_documented_first_steps_make_every_secret(tmp_path: Path):
    steps = re.search(r"^## Start$.*?^```sh$(.*?)^```$", DOCUMENT.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert steps
    shutil.copy(PROJECT / ".env.example", tmp_path)
    subprocess.run(["sh", "-eu", "-c", steps[1]], check=True, cwd=tmp_path)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert set(made) == {*SECRETS, *KEY_FILES}
    assert [made[name] for name in KEY_FILES] == ["", ""]
    assert len({made[name] for name in SECRETS}) == len(SECRETS)
    assert all(len(made[name]) >= 24 and made[name].isalnum() for name in SECRETS if name != "fernet_key")
    Fernet(made["fernet_key"])
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    # The folder keeps others out; a container's own user has to be able to read the file that is mounted from it.
    assert all(file.stat().st_mode & 0o004 for file in (tmp_path / "secrets").iterdir())


def test_the_feeds_that_are_read_by_default_are_in_the_image(services: dict[str, Any]):
    default = services["scheduler"]["environment"]["PODCAST_FEEDS"]
    assert (PROJECT / Path(default).relative_to("/opt/podcast-insights")).is_file()


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continuation lines joined, comments left out."""
    lines = [line for line in (PROJECT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def kept_in_the_image() -> list[str]:
    """The top-level names that `.dockerignore` lets through."""
    return [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]


def test_the_image_is_built_from_pinned_packages_alone():
    known = {"FROM", "ENV", "COPY", "RUN", "WORKDIR", "USER", "CMD"}
    assert {word for word, _ in dockerfile()} == known, "an instruction that these tests do not judge"
    assert {text.split()[0] for word, text in dockerfile() if word == "FROM"} == {"python:3.11-slim-bookworm"}
    commands = [text for word, text in dockerfile() if word == "RUN"]
    assert not [text for text in commands if re.search(r"https?:|curl|wget|git clone|apt-get", text)]
    installs = [text for text in commands if "pip install" in text]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert "--requirement requirements.txt" in installs[0]


def test_the_image_runs_as_the_user_that_the_compose_file_names(services: dict[str, Any]):
    users = [text for word, text in dockerfile() if word == "USER"]
    last = max(place for place, (word, _) in enumerate(dockerfile()) if word in {"USER", "RUN", "COPY"})
    assert dockerfile()[last][0] == "USER", "something runs or is copied after the user was set"
    assert {services[name]["user"] for name in AIRFLOW_SERVICES} == set(users)


def test_the_image_holds_what_runs_and_no_secret():
    rules = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*", "everything that is not named must stay outside"
    assert set(kept_in_the_image()) == {"dags", "dbt", "include", "plugins", "requirements.txt"}
    values = " ".join(text for word, text in dockerfile() if word in {"ENV", "ARG"})
    assert not re.search(r"PASSWORD|SECRET|TOKEN|_KEY", values)


def test_the_image_lays_the_project_where_the_services_look_for_it(services: dict[str, Any]):
    places = dict((word, text) for word, text in dockerfile() if word == "WORKDIR")
    assert image()["PYTHONPATH"] == places["WORKDIR"]
    for name in AIRFLOW_SERVICES:
        environment = services[name]["environment"]
        assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == f"{places['WORKDIR']}/dags"
        assert environment["AIRFLOW__CORE__PLUGINS_FOLDER"] == f"{places['WORKDIR']}/plugins"
        assert environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"].startswith(image()["AIRFLOW_HOME"])


# ---- The services, as processes

PROBE = """
import os
from pathlib import Path

from airflow.sdk import dag, task


@dag(schedule=None)
def deployment_probe():
    @task
    def leave_a_mark():
        from sqlalchemy import text

        from include.settings import settings
        from include.state import store

        with store.of(settings()).reading() as state:
            print("the state is that of", *state.execute(text("select current_user, current_database()")).one())
        told = (os.environ["AIRFLOW__CORE__EXECUTOR"], len(settings().alert_urls), settings().alert_urls[1])
        (settings().data_dir / "mark").write_text(repr(told[:2]) + told[2].get_secret_value())
        print("the mark is left")

    leave_a_mark()


deployment_probe()
"""
SEND = """
from airflow.providers.smtp.hooks.smtp import SmtpHook
with SmtpHook() as hook:
    hook.send_email_smtp(to="reader@localhost", from_email="insights@localhost", subject="Five", html_content="five")
"""


class Machine:
    """This machine in the place of the containers: their paths, host names and ports are replaced, nothing else."""

    def __init__(self, services: Mapping[str, Any], kept: Mapping[str, str], folder: Path, ports: Mapping[str, int]):
        self.folder = folder
        self.ports = ports
        self._services = services
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._replaced = {
            "/opt/podcast-insights": str(folder / "project"),
            "/opt/airflow": str(folder / "airflow"),
            "/var/lib/podcast-insights": str(folder / "data"),
            "postgres:5432": f"127.0.0.1:{ports['postgres']}",
            "api-server:8080": f"127.0.0.1:{ports['api-server']}",
            "mailpit:1025": f"127.0.0.1:{ports['mailpit']}",
        }
        for path in ("airflow/auth", "airflow/logs", "data", "printed"):
            (folder / path).mkdir(parents=True)
        for name, service in services.items():
            (folder / "secrets" / name).mkdir(parents=True)
            for secret in service.get("secrets", []):
                (folder / "secrets" / name / secret).write_text(kept[secret])

    def run(self, name: str, command: Sequence[str]) -> int:
        """The exit code of a command inside a service; what it prints goes to the service's log."""
        with self._log(name).open("ab") as log:
            return subprocess.run(**self._process(name, command), stdout=log, stderr=log).returncode

    def start(self, name: str) -> None:
        with self._log(name).open("ab") as log:
            process = self._process(name, self._services[name]["command"])
            self._running[name] = subprocess.Popen(**process, stdout=log, stderr=log, start_new_session=True)

    def healthy(self, name: str) -> bool:
        """Whether the service's own health check passes; one that ended by itself fails the test at once."""
        if name in self._running:
            code = self._running[name].poll()
            assert code is None, f"{name} ended with {code}:\n{self.printed(name)[-3000:]}"
        return self.run(name, self._services[name]["healthcheck"]["test"][1:]) == 0

    def stop(self, name: str) -> bool:
        """Ends a service as an engine would: asks its first process, and kills all after the grace period.

        Whether it obeyed and ended without an error.
        """
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait() == 0

    def stop_all(self) -> None:
        with ExitStack() as stack:
            for name in self._running:
                stack.callback(self.stop, name)

    def printed(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def api(self, path: str, token: str = "", **body: Any) -> Any:
        """The API server's answer: to a POST with a body, else to a GET."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"http://127.0.0.1:{self.ports['api-server']}{path}"
        request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def _log(self, name: str) -> Path:
        return self.folder / "printed" / f"{name}.log"

    def _process(self, name: str, command: Sequence[str]) -> dict[str, Any]:
        replaced = self._replaced | {"/run/secrets": str(self.folder / "secrets" / name)}
        environment = {**image(), **self._services[name]["environment"]}
        given = {key: _here(text, replaced) for key, text in environment.items()}
        given["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        given["HOME"] = given["AIRFLOW_HOME"]
        # Containers have their ports to themselves; these processes share those of one machine.
        given["AIRFLOW__API__PORT"] = str(self.ports["api-server"])
        given["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] = str(self.ports["worker-logs"])
        given["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] = str(self.ports["trigger-logs"])
        # The project's own DAGs are parsed here, and run elsewhere.
        given["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "true"
        words = [_here(word, replaced) for word in command]
        return {"args": words, "env": given, "cwd": self.folder / "project"}


def _here(text: str, replaced: Mapping[str, str]) -> str:
    for there, here in replaced.items():
        text = text.replace(there, here)
    return text


@pytest.fixture(scope="module")
def machine(
    services: dict[str, Any], kept: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """All services, started in the order of the Compose file, with one more DAG to run."""
    folder = tmp_path_factory.mktemp("deployment")
    names = ("postgres", "api-server", "mailpit", "worker-logs", "trigger-logs")
    machine = Machine(services, kept, folder, free_ports(names))
    lay_out_the_image(folder / "project")
    (folder / "project" / "dags" / "deployment_probe.py").write_text(PROBE)
    database = services["postgres"]["environment"]
    owner = (database["POSTGRES_USER"], kept["postgres_password"])
    with postgres(machine.ports["postgres"], *owner, database["POSTGRES_DB"]):
        try:
            code = machine.run("init", services["init"]["command"])
            assert code == 0, machine.printed("init")[-3000:]
            for name in ("api-server", "dag-processor"):
                machine.start(name)
            eventually("the API server is healthy", lambda: machine.healthy("api-server"))
            for name in ("scheduler", "triggerer"):
                machine.start(name)
            yield machine
        finally:
            machine.stop_all()


@pytest.fixture(scope="module")
def token(machine: Machine, kept: dict[str, str]) -> str:
    login = {"username": "admin", "password": kept["admin_password"]}
    return machine.api("/auth/token", **login)["access_token"]


@needs_postgres
def test_every_service_starts_and_becomes_healthy(machine: Machine):
    for name in AIRFLOW_SERVICES[1:]:
        eventually(f"{name} is healthy", lambda name=name: machine.healthy(name))  # type: ignore[misc]


@needs_postgres
def test_the_scheduler_makes_the_pool_that_keeps_the_writers_apart(machine: Machine, token: str):
    eventually("the scheduler is healthy", lambda: machine.healthy("scheduler"))
    pools = {pool["name"]: pool["slots"] for pool in machine.api("/api/v2/pools", token)["pools"]}
    assert pools.pop("default_pool") == 128
    assert pools == {WRITER_POOL: 1}


@needs_postgres
def test_only_the_operators_password_opens_the_api(machine: Machine, token: str):
    assert machine.api("/api/v2/pools", token)["pools"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        machine.api("/auth/token", username="admin", password="admin")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        machine.api("/api/v2/pools")
    assert (machine.folder / "airflow/auth/passwords.json").stat().st_mode & 0o077 == 0


@needs_postgres
def test_the_digest_view_opens_to_nobody_who_has_not_signed_in(machine: Machine, token: str):
    address = f"http://127.0.0.1:{machine.ports['api-server']}/digest/"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address, timeout=30)
    signed_in = urllib.request.Request(address, headers={"Cookie": f"_token={token}"})
    with urllib.request.urlopen(signed_in, timeout=30) as answer:
        assert "Nothing is published yet" in answer.read().decode()


@needs_postgres
def test_a_task_runs_and_its_log_can_be_read(machine: Machine, token: str):
    runs = "/api/v2/dags/deployment_probe/dagRuns"
    eventually("the DAG is parsed", lambda: "deployment_probe" in dag_ids(machine, token))
    assert machine.run("scheduler", ["airflow", "dags", "unpause", "deployment_probe", "--yes"]) == 0
    machine.api(runs, token, dag_run_id="once", logical_date=None)
    eventually("the run has ended", lambda: machine.api(f"{runs}/once", token)["state"] in {"success", "failed"})
    log = machine.api(f"{runs}/once/taskInstances/leave_a_mark/logs/1", token)
    assert machine.api(f"{runs}/once", token)["state"] == "success", log
    assert (machine.folder / "data/mark").read_text() == "('LocalExecutor', 2)ntfy://127.0.0.1:9/a&b"
    assert "the mark is left" in json.dumps(log)
    assert "the state is that of podcasts podcasts" in json.dumps(log)
    assert not [line for line in log["content"] if line.get("level") in {"error", "critical"}]


@needs_postgres
def test_the_dag_processor_finds_the_five_dags_and_no_error(machine: Machine, token: str):
    eventually("the DAGs are parsed", lambda: dag_ids(machine, token) >= DAGS)
    assert dag_ids(machine, token) == DAGS | {"deployment_probe"}
    assert machine.api("/api/v2/importErrors", token)["import_errors"] == []


@needs_postgres
def test_mail_goes_to_mailpit_unless_another_server_is_named(machine: Machine):
    received: list[Any] = []

    class Inbox:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            received.append(envelope)
            return "250 OK"

    mailpit = aiosmtpd.controller.Controller(Inbox(), hostname="127.0.0.1", port=machine.ports["mailpit"])
    mailpit.start()
    try:
        assert machine.run("scheduler", ["python", "-c", SEND]) == 0, machine.printed("scheduler")[-3000:]
    finally:
        mailpit.stop()
    assert [envelope.rcpt_tos for envelope in received] == [["reader@localhost"]]


@needs_postgres
def test_services_stop_when_asked_and_are_not_healthy_then(machine: Machine):
    for name in ("dag-processor", "triggerer"):
        assert machine.stop(name), machine.printed(name)[-3000:]
        assert not machine.healthy(name)
    # Airflow 3.3.2 now and then waits for ever for an idle worker that missed the message to end: then it is killed,
    # and its health ends with its heartbeat.
    machine.stop("scheduler")
    eventually("the scheduler is not healthy", lambda: not machine.healthy("scheduler"))
    assert machine.stop("api-server"), machine.printed("api-server")[-3000:]
    assert not machine.healthy("api-server")


@needs_postgres
def test_no_secret_is_printed_or_logged(machine: Machine, kept: dict[str, str]):
    logs = [path for place in ("printed", "airflow/logs") for path in (machine.folder / place).rglob("*.log")]
    assert len(logs) > len(AIRFLOW_SERVICES)
    for path in logs:
        text = path.read_text(errors="replace")
        assert not [name for name in SECRETS if kept[name] in text], path
        assert not [name for name in KEY_FILES for key in re.findall("[0-9a-f]{32}", kept[name]) if key in text], path


def image() -> dict[str, str]:
    """The environment that the image gives its processes."""
    return dict(pair.split("=", 1) for word, text in dockerfile() if word == "ENV" for pair in text.split())


def lay_out_the_image(project: Path) -> None:
    """Copies what `.dockerignore` lets into the image, so that a file that is left out is missed here as well."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "dbt_packages", "logs", "target", ".user.yml")
    for name in kept_in_the_image():
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, project / name, ignore=ignored)


def dag_ids(machine: Machine, token: str) -> set[str]:
    return {dag["dag_id"] for dag in machine.api("/api/v2/dags?limit=100", token)["dags"]}


def free_ports(names: Sequence[str]) -> dict[str, int]:
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in names}
        return {name: server.getsockname()[1] for name, server in sockets.items()}


def eventually(what: str, holds: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)
