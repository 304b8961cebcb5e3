"""A described field: what the form draws, the help says and the file's comments repeat."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, Mapping, NamedTuple, Optional, Tuple, Type

_METADATA_KEY = "knob"
_ITEMS_KEY = "items"


@dataclasses.dataclass(frozen=True)
class Knob:
    """The description of one field of the job spec.

    Attributes:
        label: the words beside the control.
        help: what it does and what a change of it costs, in one or two sentences.
        unit: the unit of the stored value ("steps", "tokens"), empty for a pure number.
        source: the paper, spec or measurement behind default and range.
        choices: the values allowed, empty where any of the type is.
        low: the least value allowed (inclusive), None for no bound.
        high: the greatest value allowed (inclusive), None for no bound.
        above: the value must be strictly greater than this, None for no bound.
        advanced: drawn behind "More".
        path_like: the text is a file or folder.
    """

    label: str
    help: str
    unit: str = ""
    source: str = ""
    choices: Tuple[str, ...] = ()
    low: Optional[float] = None
    high: Optional[float] = None
    above: Optional[float] = None
    advanced: bool = False
    path_like: bool = False


class DescribedField(NamedTuple):
    """One leaf of a spec class: its dotted path, Python type, description and default."""

    path: str
    kind: type
    knob: Knob
    default: Any


def knob(default: Any, label: str, help: str, **about: Any) -> Any:
    """Declare a described dataclass field with a default; ``about`` are the other attributes of `Knob`."""
    return dataclasses.field(default=default, metadata={_METADATA_KEY: Knob(label=label, help=help, **about)})


def knob_list(item_classes: Mapping[str, Type[Any]], label: str, help: str) -> Any:
    """Declare a field that holds a tuple of described objects, empty by default.

    ``item_classes``: the class of an item by its ``kind``; a single class under "" where items have no kind.
    """
    metadata = {_METADATA_KEY: Knob(label=label, help=help, advanced=True), _ITEMS_KEY: dict(item_classes)}
    return dataclasses.field(default=(), metadata=metadata)


def item_classes_of(field: "dataclasses.Field[Any]") -> Mapping[str, Type[Any]]:
    """Return the classes of a `knob_list`'s items by kind, empty where the field is none."""
    found = field.metadata.get(_ITEMS_KEY, {})
    assert isinstance(found, dict)
    return found


def knob_of(field: "dataclasses.Field[Any]") -> Optional[Knob]:
    """Return the description of a dataclass field, or None where it is a section."""
    found = field.metadata.get(_METADATA_KEY)
    assert found is None or isinstance(found, Knob)
    return found


def described_fields(spec_class: Type[Any], prefix: str = "") -> Iterator[DescribedField]:
    """Yield every leaf of a (nested) spec class in declaration order.

    The type of a leaf is the type of its default; a section is a field whose default factory is a spec class.
    """
    for field in dataclasses.fields(spec_class):
        path = prefix + field.name
        about = knob_of(field)
        if about is not None:
            yield DescribedField(path, type(field.default), about, field.default)
        else:
            section: Any = field.default_factory
            yield from described_fields(section, path + ".")
