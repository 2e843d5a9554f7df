"""What the project promises about itself: requirements in sync, every model described, settings listed."""

import re
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
