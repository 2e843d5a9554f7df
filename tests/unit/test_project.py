"""What the project promises about itself: requirements in sync, every model described, settings listed."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]


def test_every_requirement_is_pinned_with_a_hash():
    wanted = {
        re.split(r"[=<>!~\[ ]", line)[0].lower().replace("_", "-")
        for line in (PROJECT / "requirements.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    pinned = (PROJECT / "requirements.txt").read_text()
    names = set(re.findall(r"^([a-z0-9.-]+)==", pinned, re.MULTILINE))
    assert wanted - {name.replace("_", "-") for name in names} == set()
    blocks = re.split(r"^(?=[a-z0-9.-]+==)", pinned, flags=re.MULTILINE)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_pinned_versions_meet_what_is_asked_for():
    from packaging.requirements import Requirement

    pins = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE))
    asked = [
        Requirement(line)
        for line in (PROJECT / "requirements.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert [str(r) for r in asked if not r.specifier.contains(pins[r.name.lower().replace("_", "-")])] == []


def models() -> list[Path]:
    folder = PROJECT / "dbt" / "models"
    return sorted([*folder.rglob("*.sql"), *folder.rglob("*.py")])


@pytest.mark.parametrize("layer", ["staging", "intermediate", "marts"])
def test_every_model_is_described_with_its_grain_and_every_column_too(layer):
    folder = PROJECT / "dbt" / "models" / layer
    described = {m["name"]: m for m in yaml.safe_load((folder / f"{layer}.yml").read_text())["models"]}
    assert set(described) == {file.stem for file in models() if file.parent == folder}
    for name, model in described.items():
        assert model["description"].startswith("Grain: "), name
        assert model["columns"], name
        assert [column["name"] for column in model["columns"] if not column.get("description")] == [], name


def test_every_seed_is_described_with_its_grain_and_every_column_of_it_too():
    folder = PROJECT / "dbt" / "seeds"
    described = {seed["name"]: seed for seed in yaml.safe_load((folder / "seeds.yml").read_text())["seeds"]}
    assert set(described) == {file.stem for file in folder.glob("*.csv")}
    for name, seed in described.items():
        header = (folder / f"{name}.csv").read_text().splitlines()[0].split(",")
        assert seed["description"].startswith("Grain: "), name
        assert [column["name"] for column in seed["columns"] if column.get("description")] == header, name


def test_marts_enforce_their_contract_on_every_column():
    marts = yaml.safe_load((PROJECT / "dbt" / "models" / "marts" / "marts.yml").read_text())["models"]
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text())
    assert project["models"]["podcasts"]["marts"]["+contract"] == {"enforced": True}
    assert [(m["name"], c["name"]) for m in marts for c in m["columns"] if not c.get("data_type")] == []


def test_no_module_is_longer_than_400_lines():
    modules = [file for room in ("include", "plugins", "dags", "dbt") for file in (PROJECT / room).rglob("*.py")]
    assert {file.name: n for file in modules if (n := len(file.read_text().splitlines())) > 400} == {}


def test_every_path_of_the_project_that_its_texts_name_is_there():
    texts = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", PROJECT / ".env.example"]
    texts += [
        *(PROJECT / "docs").glob("*.md"),
        *(PROJECT / "include").rglob("*.py"),
        *(PROJECT / "tests").rglob("*.py"),
    ]
    named = r"(?:include|dags|plugins|dbt|tests|docs)/[\w./-]+\.(?:py|md|sql|yml|json|csv|opml|toml)\b"
    found = {(file.name, path) for file in texts for path in re.findall(rf"(?<![\w/])({named})", file.read_text())}
    assert {(name, path) for name, path in found if not (PROJECT / path).exists() and "NAME" not in path} == set()


def test_every_module_that_is_named_is_there():
    texts = [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md"), *(PROJECT / "include").rglob("*.py")]
    found = {m for file in texts for m in re.findall(r"python -m (include(?:\.\w+)+)", file.read_text())}
    places = {name: PROJECT / name.replace(".", "/") for name in found}
    assert {
        n for n, p in places.items() if not (p.with_suffix(".py").exists() or (p / "__main__.py").exists())
    } == set()


def test_the_rooms_are_listed_in_the_order_that_the_import_rule_holds():
    contract = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [layer.split(" | ") for layer in reversed(contract["layers"])]
    table = (PROJECT / "CONTRIBUTING.md").read_text().partition("| room |")[2].partition("\n\n")[0]
    listed = [re.findall(r"`(\w+)(?:/|\.py)`", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert [sorted(row) for row in listed] == [sorted(layer) for layer in layers]
    rooms = {file.name for file in (PROJECT / "include").iterdir() if (file / "__init__.py").exists()}
    assert rooms == {room for layer in layers for room in layer} - set(layers[0])
