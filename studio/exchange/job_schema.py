"""The JSON Schema of job files, for editors: made of the fields' own descriptions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.job_spec import SCHEMA_VERSION, JobSpec
from remote_agent.contract.knob import Knob, item_classes_of, knob_of
from remote_agent.contract.spec_json import spec_to_dict

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def job_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of job.yaml and job.json; every field may be left out."""
    return {"$schema": DRAFT, "title": "Luthier job", **_section(JobSpec)}


def job_schema_text() -> str:
    """Return the schema as the text of its published file."""
    return json.dumps(job_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(spec_class: type[Any], first: Mapping[str, Any] | None = None) -> dict[str, Any]:
    properties = dict(first or {})
    for field in dataclasses.fields(spec_class):
        about = knob_of(field)
        if about is None:
            section: Any = field.default_factory
            properties[field.name] = _section(section)
        elif item_classes_of(field):
            properties[field.name] = _list(item_classes_of(field), about)
        else:
            properties[field.name] = _leaf(field, about)
    if spec_class is JobSpec:
        properties["schema_version"]["maximum"] = SCHEMA_VERSION
    doc = (spec_class.__doc__ or "").split("\n")[0].replace("`", "")
    return {"description": doc, "type": "object", "properties": properties, "additionalProperties": False}


def _list(classes: Mapping[str, type[Any]], about: Knob) -> dict[str, Any]:
    items = [
        {**_section(item_class, {"kind": {"const": kind}} if kind else {}), **({"required": ["kind"]} if kind else {})}
        for kind, item_class in classes.items()
    ]
    return {
        "title": about.label, "description": about.help, "type": "array",
        "items": items[0] if len(items) == 1 else {"oneOf": items}, "default": [],
    }  # fmt: skip


def _leaf(field: dataclasses.Field[Any], about: Knob) -> dict[str, Any]:
    unit = f" [{about.unit}]" if about.unit else ""
    source = f" Source: {about.source}." if about.source else ""
    found: dict[str, Any] = {"title": about.label + unit, "description": about.help + source}
    if isinstance(field.default, tuple):
        found.update(type="array", items={"type": "integer" if "int" in str(field.type) else "string"})
    else:
        found["type"] = _TYPES[type(field.default)]
    for bound, keyword in ((about.low, "minimum"), (about.high, "maximum"), (about.above, "exclusiveMinimum")):
        if bound is not None:
            found[keyword] = bound
    if about.choices:
        found["enum"] = list(about.choices)
    found["default"] = spec_to_dict(_Default(field.default))["value"]
    return found


@dataclasses.dataclass(frozen=True)
class _Default:
    value: Any
