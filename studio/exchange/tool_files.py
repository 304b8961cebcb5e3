"""Files of other tools, read as those tools read them: YAML 1.1 as PyYAML has it, and JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import VersionedResolver

from studio.exchange.imported import ExchangeError

_NO_POINT = re.compile(r"[-+]?[0-9_]+[eE][-+]?[0-9]+\Z")


class _PyYamlResolver(VersionedResolver):
    """YAML 1.1 with PyYAML's idea of a float: a number without a point, such as 2e-5, is a text."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node."""
        if isinstance(value, str) and implicit[0] and _NO_POINT.match(value):
            return self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)


def tool_file(text: str, name: str) -> dict[str, Any]:
    """Return the keys of a tool's file. ``name`` is said in front of every mistake.

    Raises:
        ExchangeError: the text is neither YAML nor JSON, or no group of keys.
    """
    text = text.removeprefix("\ufeff")
    try:
        tree = _parsed(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise ExchangeError(f"{name}:{where} not valid YAML: {error.problem or error.context}.") from None
    except (YAMLError, ValueError) as error:
        raise ExchangeError(f"{name}: not valid YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise ExchangeError(f"{name}: nested too deeply to be a configuration.") from None
    if not isinstance(tree, dict) or not tree:
        raise ExchangeError(f"{name}: a configuration is a group of keys with values, and there is none in it.")
    return {str(key): value for key, value in tree.items()}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        yaml = YAML(typ="safe", pure=True)
        yaml.version = (1, 1)
        yaml.Resolver = _PyYamlResolver
        return yaml.load(text)
