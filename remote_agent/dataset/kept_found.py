"""Findings on disk: their rows are mapped and not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from remote_agent.contract.data_report import RowPair
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.dataset.findings import KINDS, Found
from remote_agent.run_files.atomic_write import atomic_write_json

_ARRAYS = {"rows": (0,), "answers": (0, 2), "firsts": (0,), "likes": (0, 2)}
"""The arrays of a finding, those of all findings one after the other in a file each; the shape of none."""

_REST = "found.json"


def write_found(found: Sequence[Found], folder: Path) -> None:
    """Write findings into a folder. Raises OSError."""
    for name, shape in _ARRAYS.items():
        arrays = [getattr(one, name) for one in found]
        np.save(folder / f"{name}.npy", np.concatenate([np.zeros(shape, np.int64), *arrays]), allow_pickle=False)
    rest = [
        {
            "kind": one.kind, "count": one.count, "sizes": {name: len(getattr(one, name)) for name in _ARRAYS},
            "pairs": to_wire(one.pairs), "detail": one.detail, "threshold": one.threshold, "figures": list(one.figures),
        }
        for one in found
    ]  # fmt: skip
    atomic_write_json(str(folder / _REST), rest)


def read_found(folder: Path) -> tuple[Found, ...]:
    """Map what `write_found` wrote. Raises OSError, and ValueError where it is damaged."""
    rest = json.loads((folder / _REST).read_text(encoding="utf-8"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
    ends = dict.fromkeys(_ARRAYS, 0)
    found = []
    try:
        for one in rest:
            starts, ends = ends, {name: ends[name] + one["sizes"][name] for name in _ARRAYS}
            if one["kind"] not in KINDS or any(ends[name] > len(arrays[name]) for name in _ARRAYS):
                raise ValueError(f"{folder / _REST} is damaged")
            parts = {name: arrays[name][starts[name] : ends[name]] for name in _ARRAYS}
            found.append(
                Found(
                    kind=one["kind"], count=one["count"], detail=one["detail"], threshold=one["threshold"],
                    pairs=tuple(from_wire(RowPair, pair) for pair in one["pairs"]), figures=tuple(one["figures"]),
                    **parts,
                )
            )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / _REST} is damaged: {error}") from None
    return tuple(found)
