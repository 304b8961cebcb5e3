"""The loss of each row under a model, in one file: means of all rows, single tokens of the hardest ones."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.data_error import DataError, NotThereError

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

KEPT_ROWS = 1000
"""Of so many rows, the hardest, the losses of single tokens are kept."""


class RowLosses:
    """Losses by row. Arrays are in the order of ``rows``, which rise.

    Attributes:
        rows: int64 [n], counted from 0 over all sources; a row that nothing is trained on is not among them.
        mean: float32 [n], the mean loss of a row's trained tokens, in nats.
        surprise: float32 [n], the loss of the whole response after its own prompt less that after the prompts of other
            rows, in nats: near or over 0 where the prompt does not explain the response, NaN for a row without a
            prompt; None where it was not taken.
        tokens: int32 [n], how many tokens the mean is over.
        learned: bool [n], whether the row was learnt in this epoch or one before; None for a model that only read.
        threshold: below this mean a row counts as learnt; NaN where that means nothing.
    """

    def __init__(
        self,
        rows: Int64,
        mean: Float32,
        tokens: NDArray[np.int32],
        surprise: Float32 | None = None,
        learned: NDArray[np.bool_] | None = None,
        threshold: float = float("nan"),
        token_losses: Mapping[int, NDArray[np.float16]] | None = None,
    ) -> None:
        assert len(rows) == len(mean) == len(tokens)
        self.rows, self.mean, self.tokens = rows, mean, tokens
        self.surprise, self.learned, self.threshold = surprise, learned, threshold
        self._token_losses = dict(token_losses or {})

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def hardness(self) -> Float32:
        """Return what rows are ordered by, float32 [n]: the surprise, where it was not taken the mean."""
        return self.mean if self.surprise is None else self.surprise

    @property
    def hardest(self) -> Int64:
        """Return the rows, the hardest first; of equally hard ones the earlier first, those without a figure last."""
        return self.rows[np.argsort(-self.hardness, kind="stable")]

    def mean_of(self, row: int) -> float | None:
        """Return a row's mean loss, None where it has none."""
        at = int(np.searchsorted(self.rows, row))
        return float(self.mean[at]) if at < len(self.rows) and self.rows[at] == row else None

    def tokens_of(self, row: int) -> NDArray[np.float16] | None:
        """Return the losses of a row's tokens, float16 [tokens], NaN where a token is not trained.

        Token i of it is token i of the row as it is trained: its kept part, or its pieces one after the other. None
        where the row is not among the hardest.
        """
        return self._token_losses.get(row)

    @classmethod
    def open(cls, path: Path) -> RowLosses:
        """Read a file. Raises NotThereError where there is none, DataError where it is none of ours or damaged."""
        if not path.is_file():
            raise NotThereError(f"{path}: there are no losses of rows. Take them again.")
        try:
            with path.open("rb") as file:
                found = np.load(file, allow_pickle=False)
                if not isinstance(found, np.lib.npyio.NpzFile):
                    raise ValueError("it is one array")
                return _from_arrays(dict(found))
        except (OSError, ValueError, KeyError, AssertionError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: cannot be read as losses of rows ({error}). Take them again.") from None

    def save(self, path: Path) -> None:
        """Write the file aside, sync it and rename it."""
        kept = sorted(self._token_losses)
        arrays: dict[str, Any] = {
            "rows": self.rows,
            "mean": self.mean.astype(np.float32),
            "tokens": self.tokens.astype(np.int32),
            "threshold": np.float64(self.threshold),
            "kept_rows": np.array(kept, dtype=np.int64),
            "kept_lengths": np.array([len(self._token_losses[row]) for row in kept], dtype=np.int64),
            "kept_losses": np.concatenate([np.zeros(0, np.float16), *(self._token_losses[row] for row in kept)]),
        }
        if self.surprise is not None:
            arrays["surprise"] = self.surprise.astype(np.float32)
        if self.learned is not None:
            arrays["learned"] = self.learned.astype(np.bool_)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with aside.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _from_arrays(arrays: Mapping[str, NDArray[Any]]) -> RowLosses:
    ends = np.cumsum(arrays["kept_lengths"])
    pieces = np.split(arrays["kept_losses"], ends[:-1]) if len(ends) else []
    rows = arrays["rows"]
    for name in ("surprise", "learned"):
        if name in arrays and len(arrays[name]) != len(rows):
            raise ValueError(f"{name} does not fit the rows")
    return RowLosses(
        rows,
        arrays["mean"],
        arrays["tokens"],
        arrays.get("surprise"),
        arrays.get("learned"),
        float(arrays["threshold"]),
        dict(zip(arrays["kept_rows"].tolist(), pieces, strict=True)),
    )
