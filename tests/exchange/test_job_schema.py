"""The published JSON Schema: true to the fields, and to the values that a job may have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remote_agent.contract.job_spec import SCHEMA_VERSION, JobSpec
from remote_agent.contract.knob import described_fields
from remote_agent.contract.spec_json import spec_to_dict
from studio.exchange.job_schema import DRAFT, job_schema, job_schema_text

PUBLISHED = Path(__file__).parents[2] / "resources" / "job.schema.json"


def _leaf(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = job_schema()
    for name in path.split("."):
        schema = schema["properties"][name]
    return schema


def test_that_the_published_schema_is_the_one_of_the_fields() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == job_schema_text(), (
        "resources/job.schema.json is not of today's fields; write it anew with "
        "`luthier export --format json-schema > resources/job.schema.json`"
    )


def test_that_every_field_is_described_with_its_default_and_bounds() -> None:
    defaults = spec_to_dict(JobSpec())
    for field in described_fields(JobSpec):
        leaf, value = _leaf(field.path), defaults
        for name in field.path.split("."):
            value = value[name]
        assert leaf["default"] == value
        assert leaf["title"].startswith(field.knob.label)
        assert leaf.get("minimum") == field.knob.low
        assert leaf.get("exclusiveMinimum") == field.knob.above
        assert leaf.get("enum", []) == list(field.knob.choices)


def test_that_a_newer_layout_and_a_misspelt_field_are_refused() -> None:
    schema = job_schema()
    assert schema["$schema"] == DRAFT
    assert schema["properties"]["schema_version"]["maximum"] == SCHEMA_VERSION
    sections = [part for part in _parts(schema) if part.get("type") == "object"]
    assert len(sections) > 20
    assert all(part["additionalProperties"] is False for part in sections)


def test_that_the_kinds_of_a_step_are_told_apart() -> None:
    kinds = _leaf("data.steps")["items"]["oneOf"]
    assert {kind["properties"]["kind"]["const"] for kind in kinds} >= {"drop", "deduplicate"}
    assert all(kind["required"] == ["kind"] for kind in kinds)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)


def test_that_the_schema_is_plain_json() -> None:
    assert json.loads(job_schema_text()) == job_schema()
