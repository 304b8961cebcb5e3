"""YAML that other tools read as meant, whichever of YAML's versions they know."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarstring import DoubleQuotedScalarString


def yaml_text(tree: Mapping[str, Any]) -> str:
    """Return a tree as YAML: texts in quotes, numbers with a point, so that 2e-5 is 2.0e-05 and no text for PyYAML."""
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(float, _float)
    text = io.StringIO()
    yaml.dump(_quoted(tree), text)
    return text.getvalue()


def _float(representer: Any, value: float) -> Any:
    shown = repr(value)
    if "e" in shown and "." not in shown:
        mantissa, _, exponent = shown.partition("e")
        shown = f"{mantissa}.0e{exponent}"
    return representer.represent_scalar("tag:yaml.org,2002:float", shown)


def _quoted(value: Any) -> Any:
    assert not isinstance(value, ScalarFloat)
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    return value
