"""Prepared sequences as micro batches of tensors, in the order that dataset/order.py fixes for every update."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.order import SequenceLengths, step_sequences
from remote_agent.dataset.prepared import Sequence

IGNORED = -100
"""The label of a token that is not trained on."""

MicroBatch = dict[str, Any]


class Part(Protocol):
    """The train or held-out part of prepared data."""

    def __len__(self) -> int: ...

    def sequence(self, index: int) -> Sequence:
        """Return a sequence by its index, from 0."""
        ...


class BatchShape(NamedTuple):
    """How sequences become tensors. ``flatten`` joins a micro batch into one row, as FlashAttention 2 needs it."""

    pad_id: int
    flatten: bool = False


def collate(sequences: list[Sequence], shape: BatchShape) -> MicroBatch:
    """Return what the model takes, `model_inputs`, and what is known of it.

    ``input_ids``, ``position_ids`` and ``labels``: int64 [batch, longest]; ``weights``: fp32 like them, only where a
    sequence has any. ``row_ids``: int64 [documents], the row of each document in order, and ``row_labels`` the number
    of its labels, ``row_tokens`` of its tokens. ``tokens``: the ids that are no padding. ``places``: int64
    [2, supervised tokens], row and column of the states that predict a label, so that nobody asks a GPU for them.

    There is no attention mask: with one, SDPA and eager attention would see across packed rows. Padding is on the
    right, where a causal model never looks back from; its positions go on, so that it does not count as another row.
    Without sequences the result is a filler that nothing is trained on.
    """
    if not sequences:
        return _tensors(np.full((1, 2), shape.pad_id), np.array([[0, 1]]), np.full((1, 2), IGNORED)) | _documents(
            [], []
        )
    labels = [_labels(one) for one in sequences]
    rows = [(one.ids, one.positions, own) for one, own in zip(sequences, labels, strict=True)]
    if shape.flatten:
        rows = [tuple(np.concatenate(column) for column in zip(*rows, strict=True))]  # type: ignore[list-item]
    longest = max(len(ids) for ids, _, _ in rows)
    batch = _tensors(*_padded(rows, longest, shape.pad_id)) | _documents(sequences, labels)
    if any(one.weights is not None for one in sequences):
        batch["weights"] = torch.from_numpy(_padded_weights(sequences, longest, shape.flatten))
    return batch


def model_inputs(batch: MicroBatch) -> dict[str, torch.Tensor]:
    """Return the ids, positions and labels of a micro batch."""
    return {name: batch[name] for name in ("input_ids", "position_ids", "labels")}


def supervised_tokens(batch: MicroBatch) -> int:
    """Return the number of labels other than -100 after the shift."""
    return int((batch["labels"][:, 1:] != IGNORED).sum())


def total_weight(batch: MicroBatch) -> float:
    """Return the sum of the labels' weights: their number where there are none."""
    if "weights" not in batch:
        return float(supervised_tokens(batch))
    return float(batch["weights"][:, 1:][batch["labels"][:, 1:] != IGNORED].double().sum())


def _labels(sequence: Sequence) -> npt.NDArray[np.int32]:
    """Return the labels without those of weight 0 and of each row's first token, which only the row before predicts."""
    hidden = sequence.positions == 0
    if sequence.weights is not None:
        hidden |= sequence.weights == 0
    return np.where(hidden, IGNORED, sequence.labels)


def _padded(
    rows: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]], longest: int, pad_id: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    positions = np.zeros((len(rows), longest), dtype=np.int64)
    labels = np.full((len(rows), longest), IGNORED, dtype=np.int64)
    for index, (row_ids, row_positions, row_labels) in enumerate(rows):
        length = len(row_ids)
        ids[index, :length], positions[index, :length], labels[index, :length] = row_ids, row_positions, row_labels
        positions[index, length:] = row_positions[-1] + np.arange(1, longest - length + 1)
    return ids, positions, labels


def _padded_weights(sequences: list[Sequence], longest: int, flatten: bool) -> npt.NDArray[np.float32]:
    own = [np.ones(len(one.ids), dtype=np.float32) if one.weights is None else one.weights for one in sequences]
    rows = [np.concatenate(own)] if flatten else own
    weights = np.ones((len(rows), longest), dtype=np.float32)
    for index, row in enumerate(rows):
        weights[index, : len(row)] = row
    return weights


def _documents(sequences: list[Sequence], labels: list[npt.NDArray[np.int32]]) -> MicroBatch:
    counts = [
        np.add.reduceat(own != IGNORED, np.flatnonzero(one.positions == 0), dtype=np.int64)
        for one, own in zip(sequences, labels, strict=True)
    ]
    lengths = [np.diff(np.flatnonzero(one.positions == 0), append=len(one.positions)) for one in sequences]
    none = np.zeros(0, dtype=np.int64)
    return {
        "row_ids": torch.from_numpy(np.concatenate([none, *(one.row_ids for one in sequences)])),
        "row_labels": torch.from_numpy(np.concatenate([none, *counts])),
        "row_tokens": torch.from_numpy(np.concatenate([none, *lengths])),
        "tokens": sum(len(one.ids) for one in sequences),
    }


def _tensors(ids: Any, positions: Any, labels: Any) -> MicroBatch:
    places = np.stack(np.nonzero(labels[:, 1:] != IGNORED))
    rows = {"input_ids": ids, "position_ids": positions, "labels": labels, "places": places}
    return {name: torch.from_numpy(np.asarray(value, dtype=np.int64)) for name, value in rows.items()}


class MicroBatches(Dataset[MicroBatch]):
    """One rank's micro batches of the whole run, numbered through: a step has as many as the job accumulates.

    With ``lengths`` sequences of like length share a micro batch. ``data_step`` says whose rows an update trains, where
    some were left out; without it each trains its own.
    """

    def __init__(
        self,
        part: Part,
        spec: JobSpec,
        rank: int,
        shape: BatchShape,
        lengths: SequenceLengths | None = None,
        data_step: Callable[[int], int] | None = None,
    ) -> None:
        self._data_step = data_step
        self._part = part
        self._lengths = lengths
        self._spec = spec
        self._rank = rank
        self._shape = shape
        self._of_step = functools.lru_cache(maxsize=4)(self._sequences_of_step)

    def __getitem__(self, index: int) -> MicroBatch:
        """Return the micro batch; a rank without sequences in it gets the filler."""
        step, micro = divmod(index, self._spec.batch.accumulation)
        chosen = self._of_step(step)[micro][self._rank]
        return collate([self._part.sequence(int(number)) for number in chosen], self._shape)

    def _sequences_of_step(self, step: int) -> Any:
        batch = self._spec.batch
        return step_sequences(
            self._spec.seed,
            step if self._data_step is None else self._data_step(step),
            len(self._part),
            batch.micro_batch,
            batch.accumulation,
            self._spec.strategy.ranks,
            self._lengths,
            batch.longest_only,
        )


class _InOrder(Sampler[int]):
    """The numbers from ``first`` up to ``end``, in order."""

    def __init__(self, first: int, end: int) -> None:
        self._range = range(first, end)

    def __iter__(self) -> Iterator[int]:
        return iter(self._range)

    def __len__(self) -> int:
        return len(self._range)


def train_loader(batches: MicroBatches, spec: JobSpec, first_step: int, total_steps: int, pin: bool) -> DataLoader[Any]:
    """Return the loader of updates ``first_step`` … ``total_steps`` - 1, which accelerate never gets to reorder."""
    accumulation, workers = spec.batch.accumulation, spec.loading.workers
    return DataLoader(
        batches,
        batch_size=None,
        sampler=_InOrder(first_step * accumulation, total_steps * accumulation),
        num_workers=workers,
        prefetch_factor=spec.loading.prefetch if workers else None,
        pin_memory=pin and spec.loading.pin_memory,
        # a generator of its own: the loader must not draw from the one whose state a resume restores
        generator=torch.Generator(),
    )


def evaluation_batches(part: Part, micro_batch: int, rank: int, ranks: int, shape: BatchShape) -> Iterator[MicroBatch]:
    """Yield one rank's share of a held-out part: every sequence once over all ranks, as many batches on each."""
    for start in range(0, len(part), micro_batch * ranks):
        first = start + rank * micro_batch
        numbers = range(first, min(first + micro_batch, len(part)))
        yield collate([part.sequence(number) for number in numbers], shape)
