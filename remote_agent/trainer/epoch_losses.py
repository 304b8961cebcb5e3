"""Each row's mean loss over an epoch, as its updates saw it: collected on every rank, put together at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from remote_agent.contract.events import RowLossesTaken
from remote_agent.contract.run_dir import ROW_LOSSES, epoch_losses_file, losses_epoch
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.trainer.collectives import gathered_columns

HARDEST = 20
"""So many rows are named in the journal."""

MOST_DOCUMENTS = 20_000_000
"""Beyond so many documents losses are not kept: they would take a gigabyte of every rank's memory."""


class MicroLosses(NamedTuple):
    """The losses of a micro batch: ``row_ids`` and ``row_labels`` a document, ``token_losses`` a label."""

    row_ids: torch.Tensor
    row_labels: torch.Tensor
    token_losses: torch.Tensor


class EpochLosses:
    """What one rank has seen of the rows in the epoch under way: sums in fp64 and numbers of tokens.

    Attributes:
        steps: the updates of this epoch that are in it.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.steps = 0
        self._rows: list[NDArray[np.int64]] = []
        self._sums: list[NDArray[np.float64]] = []
        self._tokens: list[NDArray[np.int64]] = []

    def take(self, update: Iterable[MicroLosses]) -> None:
        """Add an update's micro batches, whose losses `Update.read` has brought from the device."""
        self.steps += 1
        micro = [one for one in update if one.token_losses.numel()]
        if not micro:
            return
        losses = torch.cat([one.token_losses for one in micro]).double().numpy()
        tokens = torch.cat([one.row_labels for one in micro]).numpy()
        rows = torch.cat([one.row_ids for one in micro]).numpy()
        rows, tokens = rows[tokens > 0], tokens[tokens > 0]
        self._rows.append(rows)
        self._sums.append(np.add.reduceat(losses, np.cumsum(tokens) - tokens))
        self._tokens.append(tokens)

    def gathered(self) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32]]:
        """Return rows (rising), mean losses and tokens of all ranks, and begin anew; every rank calls this.

        Where a row was trained in several documents, its mean is over the tokens of all of them.
        """
        every = gathered_columns([_joined(self._rows), _joined(self._sums), _joined(self._tokens)])
        self._begin()
        rows, inverse = np.unique(every[0].astype(np.int64), return_inverse=True)
        tokens = np.bincount(inverse, weights=every[2], minlength=len(rows))
        sums = np.bincount(inverse, weights=every[1], minlength=len(rows))
        return rows, (sums / np.maximum(tokens, 1)).astype(np.float32), tokens.astype(np.int32)

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a checkpoint within the epoch has to hold."""
        return {
            "rows": torch.from_numpy(_joined(self._rows).astype(np.int64)),
            "sums": torch.from_numpy(_joined(self._sums).astype(np.float64)),
            "tokens": torch.from_numpy(_joined(self._tokens).astype(np.int64)),
            "steps": torch.tensor(self.steps),
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from what a checkpoint held."""
        self._rows, self._sums, self._tokens = ([state[name].numpy()] for name in ("rows", "sums", "tokens"))
        self.steps = int(state["steps"])

    def restore_all(self, states: Sequence[Mapping[str, torch.Tensor]], keeps: bool) -> None:
        """Go on from what ranks of another number held: one that ``keeps`` takes it all, the others their steps."""
        names = ("rows", "sums", "tokens")
        joined = {name: torch.cat([one[name] for one in states]) for name in names}
        if not keeps:
            joined = {name: values[:0] for name, values in joined.items()}
        self.restore({**joined, "steps": states[0]["steps"]})


class LossHistory:
    """The epochs' files in the run directory, which rank 0 writes, and what was learnt in them."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / ROW_LOSSES
        self._last: RowLosses | None = None

    def go_on_after(self, epochs: int) -> bool:
        """Read the last file of the epochs that are done, and remove what an attempt went on to write beyond them.

        Returns:
            Whether it is there and readable, or none is needed; if not, learning counts from the next epoch on.
        """
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if (losses_epoch(path.name) or 0) > epochs:
                    path.unlink()
        self._last = None
        if epochs:
            with contextlib.suppress(DataError):
                self._last = RowLosses.open(self._folder / epoch_losses_file(epochs))
        return self._last is not None or not epochs

    def add(
        self,
        found: tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32]],
        attempt: int,
        step: int,
        epoch: int,
        complete: bool,
    ) -> RowLossesTaken:
        """Write the losses of an epoch (from 1) and return what is journalled of them. Raises OSError."""
        rows, mean, tokens = found
        last = self._last
        finite = mean[np.isfinite(mean)]
        first = float(np.median(finite)) if len(finite) else float("nan")
        threshold = first if last is None else last.threshold
        before = np.zeros(len(rows), dtype=np.bool_) if last is None else _learned_before(rows, last)
        is_learned = mean <= threshold
        losses = RowLosses(rows, mean, tokens, learned=before | is_learned, threshold=threshold)
        name = epoch_losses_file(epoch)
        losses.save(self._folder / name)
        self._last = losses
        order = [at for at in np.argsort(-mean, kind="stable")[:HARDEST].tolist() if np.isfinite(mean[at])]
        return RowLossesTaken(
            attempt=attempt,
            step=step,
            epoch=epoch,
            rows=len(rows),
            mean=float(mean.mean(dtype=np.float64)),
            file=f"{ROW_LOSSES}/{name}",
            hardest=tuple(int(rows[at]) for at in order),
            hardest_losses=tuple(round(float(mean[at]), 4) for at in order),
            threshold=threshold,
            never_learned=int(np.count_nonzero(~(before | is_learned))),
            forgotten=int(np.count_nonzero(before & ~is_learned)),
            complete=complete,
        )


def _learned_before(rows: NDArray[np.int64], last: RowLosses) -> NDArray[np.bool_]:
    """Return for each row whether an earlier epoch has learnt it; a row that was in none has not been."""
    if last.learned is None or not len(last.rows):
        return np.zeros(len(rows), dtype=np.bool_)
    at = np.minimum(np.searchsorted(last.rows, rows), len(last.rows) - 1)
    learned: NDArray[np.bool_] = (last.rows[at] == rows) & last.learned[at]
    return learned


def _joined(pieces: Sequence[NDArray[np.int64]] | Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the pieces as one fp64 array, in which row numbers stay exact to 2^53."""
    return np.concatenate([np.zeros(0, dtype=np.float64), *pieces])
