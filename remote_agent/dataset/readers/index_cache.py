"""Where rows start, kept beside other results so that a file that was indexed once opens at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.run_files.atomic_write import atomic_write_json

_FORMAT = 1


class SavedIndex(NamedTuple):
    """A complete index: rows, marks (int64 [n, 4]: row, offset, line, part), what else reading needs to know."""

    rows: int
    marks: NDArray[np.int64]
    parts: list[str]
    notes: dict[str, str]
    ended_early: str


def save_index(folder: Path, key: str, index: SavedIndex) -> None:
    """Keep an index under a key that says which content of which file it belongs to."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{key}.part.npy"
    np.save(part, index.marks)
    part.replace(folder / f"{key}.npy")
    rest = {"format": _FORMAT, **index._asdict()}
    del rest["marks"]
    atomic_write_json(str(folder / f"{key}.json"), rest)


def load_index(folder: Path, key: str) -> SavedIndex | None:
    """Return a kept index, None where there is none that can be read."""
    try:
        rest = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        if rest.pop("format") != _FORMAT:
            return None
        marks = np.load(folder / f"{key}.npy", allow_pickle=False)
        index = SavedIndex(marks=marks, **rest)
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError):
        return None
    return index if marks.ndim == 2 and marks.shape[1] == 4 and marks.dtype == np.int64 else None
