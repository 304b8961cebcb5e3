"""The job spec as plain JSON objects and back; a misspelt field is an error that names the nearest one."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
from typing import Any, Dict, List, Mapping, Tuple, Type, TypeVar

from remote_agent.contract.job_spec import SCHEMA_VERSION, JobSpec
from remote_agent.contract.knob import item_classes_of, knob_of

Spec = TypeVar("Spec")

_TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list of texts"}


class SpecError(ValueError):
    """The text is no job spec. ``mistakes`` holds one sentence a mistake, each starting with its field path."""

    def __init__(self, mistakes: List[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def spec_to_dict(spec: Any) -> Dict[str, Any]:
    """Return nested dictionaries in declaration order; tuples become lists."""
    result: Dict[str, Any] = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if dataclasses.is_dataclass(value):
            result[field.name] = spec_to_dict(value)
        elif item_classes_of(field):
            result[field.name] = [_item_to_dict(item, item_classes_of(field)) for item in value]
        else:
            result[field.name] = list(value) if isinstance(value, tuple) else value
    return result


def _item_to_dict(item: Any, classes: Mapping[str, Type[Any]]) -> Dict[str, Any]:
    kind = next(kind for kind, item_class in classes.items() if type(item) is item_class)
    return {**({"kind": kind} if kind else {}), **spec_to_dict(item)}


def spec_from_dict(data: Any) -> JobSpec:
    """Build a job spec from nested dictionaries; missing fields take their defaults.

    Raises:
        SpecError: a field is unknown, has the wrong type, or the file was written by a newer Luthier.
    """
    mistakes: List[str] = []
    version = data.get("schema_version", SCHEMA_VERSION) if isinstance(data, dict) else SCHEMA_VERSION
    if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION:
        raise SpecError(
            [
                "schema_version: this job was written by a newer Luthier (layout {}, this one knows {}); "
                "update Luthier to open it.".format(version, SCHEMA_VERSION)
            ]
        )
    spec = _section(JobSpec, data, "", mistakes)
    if mistakes:
        raise SpecError(mistakes)
    return spec


def _section(spec_class: Type[Spec], data: Any, prefix: str, mistakes: List[str]) -> Spec:
    if not isinstance(data, dict):
        mistakes.append("{}: expected a group of fields, found {}.".format(prefix.rstrip(".") or "job", _shown(data)))
        return spec_class()
    fields = {field.name: field for field in dataclasses.fields(spec_class)}  # type: ignore[arg-type]
    values: Dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            near = difflib.get_close_matches(str(name), list(fields), n=1, cutoff=0.5)
            hint = "did you mean {}?".format(prefix + near[0]) if near else "known: {}.".format(", ".join(fields))
            mistakes.append("{}{}: there is no such field; {}".format(prefix, name, hint))
            continue
        field = fields[name]
        if knob_of(field) is None:
            section: Any = field.default_factory
            values[name] = _section(section, value, prefix + name + ".", mistakes)
        elif item_classes_of(field):
            values[name] = _items(item_classes_of(field), value, prefix + name, mistakes)
        else:
            values[name] = _leaf(type(field.default), value, prefix + name, mistakes, field.default, _items_are(field))
    return spec_class(**values)


def _items(classes: Mapping[str, Type[Any]], data: Any, path: str, mistakes: List[str]) -> Tuple[Any, ...]:
    """Build the objects of a list; an object of several possible kinds names its own."""
    if not isinstance(data, (list, tuple)):
        mistakes.append("{}: expected a list, found {}.".format(path, _shown(data)))
        return ()
    return tuple(
        item
        for number, entry in enumerate(data)
        for item in _item(classes, entry, "{}[{}].".format(path, number), mistakes)
    )


def _item(classes: Mapping[str, Type[Any]], data: Any, prefix: str, mistakes: List[str]) -> List[Any]:
    if "" in classes:
        return [_section(classes[""], data, prefix, mistakes)]
    kind = str(data.get("kind")) if isinstance(data, dict) else ""
    if kind not in classes:
        mistakes.append(
            "{}kind: expected one of {}, found {}.".format(prefix, ", ".join(classes), _shown(kind or data))
        )
        return []
    fields = {name: value for name, value in data.items() if name != "kind"}
    return [_section(classes[kind], fields, prefix, mistakes)]


def _items_are(field: "dataclasses.Field[Any]") -> type:
    """Return the type of the items of a tuple field, as its annotation says."""
    return int if "int" in str(field.type) else str


def _leaf(kind: type, value: Any, path: str, mistakes: List[str], default: Any, item_kind: type) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            value = math.inf
    if kind is tuple and isinstance(value, (list, tuple)) and all(type(item) is item_kind for item in value):
        return tuple(value)
    if type(value) is kind:
        return value
    words = "a list of whole numbers" if kind is tuple and item_kind is int else _TYPE_WORDS[kind]
    mistakes.append("{}: expected {}, found {}.".format(path, words, _shown(value)))
    return default


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def spec_to_json(spec: JobSpec) -> str:
    """Return the spec as indented JSON with a final newline: the exact text of a run's job.json."""
    return json.dumps(spec_to_dict(spec), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def spec_from_json(text: str) -> JobSpec:
    """Parse job.json. Raises SpecError, also where the text is no JSON (with line and column)."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(
            ["job: not valid JSON at line {}, column {}: {}.".format(error.lineno, error.colno, error.msg)]
        ) from None
    except RecursionError:
        raise SpecError(["job: nested too deeply to be a job."]) from None
    return spec_from_dict(data)


def spec_hash(spec: JobSpec) -> str:
    """Return the SHA-256 of the canonical JSON, as 64 hex digits."""
    canonical = json.dumps(spec_to_dict(spec), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
