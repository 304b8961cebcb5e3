"""Presets as files: recipes of published papers in YAML, each value with its source, read and checked."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problem import range_sentence
from studio.state.preset import GLOBAL_BATCH, Preset

_PARTS = {"name", "about", "values", "sources", GLOBAL_BATCH}
_FIELDS = {field.path: field for field in described_fields(JobSpec)}


@functools.lru_cache(maxsize=4)
def load_presets(folder: Path) -> tuple[Preset, ...]:
    """Return the presets of a folder by file name. Raises OSError, and ValueError for a bad file."""
    return tuple(read_preset(path) for path in sorted(folder.glob("*.yaml")))


def read_preset(path: Path) -> Preset:
    """Read one preset. Raises OSError, and ValueError with file and field where something is wrong in it."""
    tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    if not isinstance(tree, dict) or not {"name", "about", "values"} <= set(tree) <= _PARTS:
        raise ValueError(f"{path.name}: a preset has name, about, values, sources and perhaps {GLOBAL_BATCH}.")
    values = {field: _checked(path.name, field, value) for field, value in tree["values"].items()}
    sources = tree.get("sources", {})
    for field in sources:
        if field not in values and field != GLOBAL_BATCH:
            raise ValueError(f"{path.name}: {field} has a source and no value.")
    about = " ".join(tree["about"].split())
    return Preset(path.stem, tree["name"], about, values, sources, int(tree.get(GLOBAL_BATCH, 0)))


def _checked(name: str, path: str, value: Any) -> Any:
    if path not in _FIELDS:
        raise ValueError(f"{name}: there is no field {path}.")
    field = _FIELDS[path]
    if field.kind is float and type(value) is int:
        value = float(value)
    if type(value) is not field.kind:
        raise ValueError(f"{name}: {path} is {value!r}; its kind is {field.kind.__name__}.")
    wrong = range_sentence(field.knob, value)
    if wrong:
        raise ValueError(f"{name}: {path}: {wrong}")
    return value
