"""Runs that lie in a folder of this computer, taken into the library: run directories, TensorBoard, W&B offline."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import statistics
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from remote_agent.contract.events import (
    ENDED,
    FINISHED,
    INTERRUPTED,
    Evaluated,
    Event,
    StateChanged,
    StepCompleted,
    TrainingStarted,
    event_to_body,
)
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.journal_line import encode_line, parse_line
from remote_agent.contract.run_dir import JOB, JOURNAL, LOG, RANK0_WRITER, is_run_id, parse_segment_file, run_id
from remote_agent.contract.spec_json import SpecError, spec_from_json, spec_to_json
from studio.session.foreign_runs import Scalars, tensorboard_scalars, wandb_scalars
from studio.store.library import LOG_KEPT_BYTES, Library
from studio.store.replay import replay
from studio.store.rows import Block, LogBlock, RunRow

NODE = "imported"
"""What the node of such a run is called: none that could be asked for more."""

_POINTS = 32
_NAMES = {
    "loss": ("train/loss", "loss", "train_loss"),
    "learning_rate": ("train/learning_rate", "learning_rate", "train/lr", "lr"),
    "gradient_norm": ("train/grad_norm", "grad_norm", "gradient_norm"),
    "epoch": ("train/epoch", "epoch"),
    "held_out": ("eval/loss", "eval_loss", "val/loss", "val_loss", "validation/loss"),
    "step": ("train/global_step", "global_step", "trainer/global_step"),
}


class NothingToImportError(Exception):
    """A path holds no run that can be read; ``sentence`` says what was looked for."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def import_run(path: Path, library: Library) -> RunRow:
    """Take the run at a path into the library and return its row; one that is here already stays as it is.

    Args:
        path: a run directory; a TensorBoard event file, or a folder with one; a W&B offline file (``run-*.wandb``), or
            its folder.
        library: what keeps it.

    Raises:
        NothingToImportError: there is no run of these kinds.
        OSError, StoreError: a file cannot be read, the library not written.
    """
    if (path / JOURNAL).is_dir():
        return _run_directory(path, library)
    readers: tuple[tuple[str, Callable[[bytes], Iterator[Scalars]]], ...] = (
        ("*.wandb", wandb_scalars),
        ("*tfevents*", tensorboard_scalars),
    )
    for pattern, read in readers:
        files = [path] if path.is_file() and path.match(pattern) else sorted(path.rglob(pattern))
        scalars = [one for file in files for one in read(file.read_bytes())]
        if scalars:
            return _foreign(path, scalars, library)
    raise NothingToImportError(
        f"{path} holds no run: neither a journal of Luthier, nor event files of TensorBoard, nor an offline run of W&B."
    )


def _run_directory(path: Path, library: Library) -> RunRow:
    try:
        job = (path / JOB).read_text(encoding="utf-8")
        name = spec_from_json(job).name
    except (FileNotFoundError, SpecError) as error:
        raise NothingToImportError(f"{path / JOB} cannot be read as a job ({error}).") from None
    key = path.name if is_run_id(path.name) else _id_of(str(path.resolve()), path.stat().st_mtime)
    known = library.run(key)
    if known is not None:
        return known
    segments = [(parse_segment_file(file.name), file) for file in sorted((path / JOURNAL).iterdir())]
    blocks = [_block(found.writer, found.number, file.read_bytes()) for found, file in segments if found is not None]
    logs = [_log(file) for file in sorted((path / LOG).glob("rank*.log"))] if (path / LOG).is_dir() else []
    return _kept(key, name, job, blocks, [log for log in logs if log is not None], library)


def _block(writer: str, number: int, data: bytes) -> Block:
    body = data[: data.rfind(b"\n") + 1]
    header = parse_line(body.partition(b"\n")[0])
    told = json.loads(header.body) if header is not None else {}
    return Block(writer, number, str(told.get("incarnation", "")), 0, body)


def _log(file: Path) -> LogBlock | None:
    rank = file.stem.removeprefix("rank")
    data = file.read_bytes()
    cut = max(0, len(data) - LOG_KEPT_BYTES)
    return LogBlock(int(rank), cut, data[cut:]) if rank.isdigit() and data else None


def _foreign(path: Path, scalars: list[Scalars], library: Library) -> RunRow:
    named = path.parent if path.is_file() else path
    began_s = min((one.time_s for one in scalars if one.time_s > 0), default=time.time())
    key = _id_of(json.dumps([named.name, len(scalars), scalars[0]]), began_s)
    known = library.run(key)
    if known is not None:
        return known
    lines = [encode_line(number, body) for number, body in enumerate(_bodies(_by_step(scalars), began_s), 1)]
    block = Block(RANK0_WRITER, 0, "imported", 0, b"".join(lines))
    job = spec_to_json(JobSpec(name=named.name))
    return _kept(key, named.name, job, [block], [], library)


def _by_step(scalars: list[Scalars]) -> dict[int, tuple[float, dict[str, float]]]:
    """Return for each step when it was and its values under our names; the last one told counts."""
    found: dict[int, tuple[float, dict[str, float]]] = {}
    for one in scalars:
        values = {
            own: one.values[name] for own, names in _NAMES.items() for name in reversed(names) if name in one.values
        }
        step = int(values.pop("step", one.step))
        time_s, known = found.get(step, (one.time_s, {}))
        found[step] = (max(time_s, one.time_s), {**known, **values})
    return dict(sorted(found.items()))


def _bodies(steps: Mapping[int, tuple[float, dict[str, float]]], began_s: float) -> Iterator[dict[str, object]]:
    last = max(steps)
    yield event_to_body(StateChanged("running", 1), began_s)
    yield event_to_body(TrainingStarted(1, 0, last, 0, 0, 0, 0, 0), began_s)
    before_s, before_step, time_s = began_s, 0, began_s
    for step, (told_s, values) in steps.items():
        time_s = told_s or before_s
        events: list[Event] = []
        if "loss" in values:
            took_s = (time_s - before_s) / max(1, step - before_step)
            events.append(_step(step, values, took_s))
            before_s, before_step = time_s, step
        if "held_out" in values:
            loss = values["held_out"]
            perplexity = math.exp(loss) if loss < 700 else math.inf
            events.append(Evaluated(1, step, loss, perplexity, 0, 0, 0.0))
        for event in events:
            yield event_to_body(event, time_s)
    yield event_to_body(StateChanged(FINISHED, 1, "This run was imported; how it ended is not told."), time_s)


def _step(step: int, values: Mapping[str, float], took_s: float) -> StepCompleted:
    return StepCompleted(
        attempt=1, step=step, loss=values["loss"], learning_rate=values.get("learning_rate", math.nan),
        gradient_norm=values.get("gradient_norm", math.nan), tokens=0, supervised_tokens=0, tokens_per_s=math.nan,
        step_time_s=took_s, peak_memory_bytes=0, epoch=values.get("epoch", 0.0),
    )  # fmt: skip


def _kept(key: str, name: str, job: str, blocks: list[Block], logs: list[LogBlock], library: Library) -> RunRow:
    library.store_blocks(key, blocks, logs)
    row = _row(RunRow(key, name, NODE, job, INTERRUPTED), library)
    library.save_run(row)
    return row


def _row(row: RunRow, library: Library) -> RunRow:
    """Return the row as the kept journal tells it."""
    losses, rates, best = array("d"), array("d"), math.nan
    for batch, _ in replay(library, row.run_id):
        losses.extend(batch.steps.column("loss"))
        rates.extend(value for value in batch.steps.column("tokens_per_s") if math.isfinite(value))
        if len(batch.steps):
            row = dataclasses.replace(row, step=int(batch.steps.column("step")[-1]), loss=losses[-1])
        for time_s, event in batch.events:
            if isinstance(event, StateChanged):
                # nothing here goes on: what had not ended was left behind with its folder
                state = event.state if event.state in ENDED else INTERRUPTED
                row = dataclasses.replace(
                    row, state=state, created_s=row.created_s or time_s, ended_s=time_s, note=event.reason
                )
            elif isinstance(event, TrainingStarted):
                row = dataclasses.replace(row, total_steps=event.total_steps)
            elif isinstance(event, Evaluated) and math.isfinite(event.loss):
                best = event.loss if math.isnan(best) else min(best, event.loss)
    stride = max(1, -(-len(losses) // _POINTS))
    rate = statistics.median(rates) if rates else math.nan
    return dataclasses.replace(row, losses=tuple(losses[::stride]), best_held_out=best, tokens_per_s=rate)


def _id_of(text: str, time_s: float) -> str:
    """Return a run id that is the same whenever the same run is imported."""
    stamp = time.strftime("%y%m%d-%H%M%S", time.gmtime(time_s))
    return run_id(stamp, hashlib.sha256(text.encode("utf-8", "replace")).digest())
