"""The README's table of faults names tests that exist, and SECURITY.md what the project has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_that_each_fault_of_the_table_names_a_test_that_exists() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- faults -->")[2].partition("<!-- /")[0]
    named = re.findall(r"`(test_[a-z0-9_]+)` \|$", table, re.MULTILINE)
    assert len(named) > 50 and len(named) == table.count("\n|") - 2
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_that_no_dependency_may_be_older_than_its_last_known_hole() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    words = [*project["dependencies"], *project["optional-dependencies"]["trainer"]]
    floors = {}
    for word in words:
        found = re.match(r"([\w.-]+)\s*(?:>=|==)\s*([\d.]+)", word)
        assert found, f"{word} names no floor"
        floors[found[1]] = tuple(int(part) for part in found[2].split("."))
    for name, oldest in (("paramiko", (5, 1)), ("jinja2", (3, 1, 6)), ("torch", (2, 6)), ("transformers", (5, 3))):
        assert floors[name] >= oldest, name


def test_that_the_lint_holds_the_rules_of_bandit() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} <= {"S101", "S603", "S404"}
