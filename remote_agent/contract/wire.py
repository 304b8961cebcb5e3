"""Frozen dataclasses as JSON objects and back, for the reports that node and desktop exchange."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any, Dict, Mapping, Type, TypeVar

Report = TypeVar("Report")


def to_wire(report: Any) -> Any:
    """Return a dataclass as nested dictionaries and lists."""
    if report is None or isinstance(report, (str, int, float)):
        return report  # most values are plain; what follows takes ten times as long to say so
    if dataclasses.is_dataclass(report) and not isinstance(report, type):
        return {field.name: to_wire(getattr(report, field.name)) for field in dataclasses.fields(report)}
    if isinstance(report, Mapping):
        return {str(key): to_wire(value) for key, value in report.items()}
    if isinstance(report, (list, tuple)):
        return [to_wire(item) for item in report]
    return report


def from_wire(report_class: Type[Report], data: Any) -> Report:
    """Build a dataclass from `to_wire`'s result; fields it does not know are ignored, missing ones take their default.

    Raises:
        ValueError: a field without default is missing or a value has the wrong type; names the field.
    """
    result = _value(report_class, data, report_class.__name__)
    assert isinstance(result, report_class)
    return result


def _value(kind: Any, data: Any, where: str) -> Any:
    if kind is Any or type(data) is kind:
        return data
    origin = typing.get_origin(kind)
    if origin is typing.Union:
        return None if data is None else _value(typing.get_args(kind)[0], data, where)
    if origin is tuple:
        return _tuple(typing.get_args(kind), data, where)
    if isinstance(origin, type) and issubclass(origin, typing.Mapping):
        if not isinstance(data, dict):
            raise ValueError("{}: expected an object".format(where))
        return {str(key): _value(typing.get_args(kind)[1], item, where) for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, where)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if type(data) is not kind:
        expected, found = getattr(kind, "__name__", kind), type(data).__name__
        raise ValueError("{}: expected {}, found {}".format(where, expected, found))
    return data


def _tuple(kinds: typing.Tuple[Any, ...], data: Any, where: str) -> typing.Tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise ValueError("{}: expected a list".format(where))
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_value(kinds[0], item, where) for item in data)
    if len(kinds) != len(data):
        raise ValueError("{}: expected {} items, found {}".format(where, len(kinds), len(data)))
    return tuple(_value(kinds[index], item, where) for index, item in enumerate(data))


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError("{}: expected an object".format(where))
    types = _types(kind)
    values: Dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _value(types[field.name], data[field.name], where + "." + field.name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError("{}.{} is missing".format(where, field.name))
    return kind(**values)


@functools.lru_cache(maxsize=None)
def _types(kind: Any) -> Dict[str, Any]:
    """Return the types of a dataclass's fields; working them out costs more than all the rest."""
    return typing.get_type_hints(kind)
