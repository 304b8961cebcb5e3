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

_ROWS, _ANSWERS, _FIRSTS, _REST = "rows.npy", "answers.npy", "firsts.npy", "found.json"


def write_found(found: Sequence[Found], folder: Path) -> None:
    """Write findings into a folder. Raises OSError."""
    rows = [one.rows for one in found]
    np.save(folder / _ROWS, np.concatenate([np.zeros(0, dtype=np.int64), *rows]), allow_pickle=False)
    answers = [one.answers for one in found]
    np.save(folder / _ANSWERS, np.concatenate([np.zeros((0, 2), dtype=np.int64), *answers]), allow_pickle=False)
    firsts = [one.firsts for one in found]
    np.save(folder / _FIRSTS, np.concatenate([np.zeros(0, dtype=np.int64), *firsts]), allow_pickle=False)
    rest = [
        {
            "kind": one.kind, "count": one.count, "rows": len(one.rows), "answers": len(one.answers),
            "firsts": len(one.firsts),
            "pairs": to_wire(one.pairs), "detail": one.detail, "threshold": one.threshold, "figures": list(one.figures),
        }
        for one in found
    ]  # fmt: skip
    atomic_write_json(str(folder / _REST), rest)


def read_found(folder: Path) -> tuple[Found, ...]:
    """Map what `write_found` wrote. Raises OSError, and ValueError where it is damaged."""
    rest = json.loads((folder / _REST).read_text(encoding="utf-8"))
    rows = np.load(folder / _ROWS, mmap_mode="r", allow_pickle=False)
    answers = np.load(folder / _ANSWERS, mmap_mode="r", allow_pickle=False)
    firsts = np.load(folder / _FIRSTS, mmap_mode="r", allow_pickle=False)
    found = []
    at = told = named = 0
    try:
        for one in rest:
            end = at + one["rows"]
            last, before = told + one["answers"], named + one["firsts"]
            if one["kind"] not in KINDS or end > len(rows) or last > len(answers) or before > len(firsts):
                raise ValueError(f"{folder / _REST} is damaged")
            pairs = tuple(from_wire(RowPair, pair) for pair in one["pairs"])
            found.append(
                Found(one["kind"], one["count"], rows[at:end], pairs, one["detail"], one["threshold"],
                      tuple(one["figures"]), answers[told:last], firsts[named:before])
            )  # fmt: skip
            at, told, named = end, last, before
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / _REST} is damaged: {error}") from None
    return tuple(found)
