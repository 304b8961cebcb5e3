"""Two jobs side by side: only what differs, field by field, with the words and units of the fields."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.knob import Knob, item_classes_of, knob_of

ABSENT = None
"""The value on the side that has no such item of a list."""


class FieldDifference(NamedTuple):
    """One field that two jobs have different values in.

    Attributes:
        path: the field, an item of a list with its number: ``data.more[0].path``.
        label: the words of the field, those of the list before an item's.
        unit: the unit of both values, empty for a pure number.
        first: the first job's value, ABSENT where its list has no such item.
        second: the second job's.
    """

    path: str
    label: str
    unit: str
    first: Any
    second: Any


class _Leaf(NamedTuple):
    label: str
    unit: str
    value: Any


def differences(first: JobSpec, second: JobSpec) -> Tuple[FieldDifference, ...]:
    """Return what differs, in the order of the fields; the layout's version is no difference."""
    sides = dict(_leaves(first, "", "")), dict(_leaves(second, "", ""))
    found = []
    for path in _in_order(list(sides[0]), list(sides[1])):
        left, right = sides[0].get(path), sides[1].get(path)
        about = left or right
        assert about is not None
        values = left.value if left else ABSENT, right.value if right else ABSENT
        if (left is None or right is None or values[0] != values[1]) and path != "schema_version":
            found.append(FieldDifference(path, about.label, about.unit, values[0], values[1]))
    return tuple(found)


def _in_order(first: List[str], second: List[str]) -> List[str]:
    """Return the paths of both, those of the second alone behind what comes before them there."""
    merged, place = list(first), 0
    known: Dict[str, int] = {path: 0 for path in first}
    for path in second:
        if path in known:
            place = merged.index(path, place) + 1 if path in merged[place:] else place
        else:
            merged.insert(place, path)
            place += 1
    return merged


def _leaves(spec: Any, prefix: str, words: str) -> Iterator[Tuple[str, _Leaf]]:
    for field in dataclasses.fields(spec):
        path, value, about = prefix + field.name, getattr(spec, field.name), knob_of(field)
        if about is None:
            yield from _leaves(value, path + ".", words)
        elif item_classes_of(field):
            yield from _items(field, value, path, words, about)
        else:
            yield path, _Leaf(words + about.label, about.unit, value)


def _items(
    field: "dataclasses.Field[Any]", items: Tuple[Any, ...], path: str, words: str, about: Knob
) -> Iterator[Tuple[str, _Leaf]]:
    classes = item_classes_of(field)
    for number, item in enumerate(items):
        place, label = "{}[{}]".format(path, number), "{}{} {}".format(words, about.label, number + 1)
        if "" not in classes:
            kind = next(kind for kind, item_class in classes.items() if type(item) is item_class)
            yield place + ".kind", _Leaf(label + ", kind", "", kind)
        yield from _leaves(item, place + ".", label + ", ")
