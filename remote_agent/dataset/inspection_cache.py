"""What inspections found, kept under the state of the files, so that a second look at the same data costs nothing."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.chat_templates import resolve_template
from remote_agent.contract.data_report import DataReport
from remote_agent.contract.data_steps import BalanceStep, DeduplicateStep, DropStep
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.dataset.corpus import DataPaths, Plan
from remote_agent.dataset.data_error import DataError, NotThereError
from remote_agent.dataset.findings import Found
from remote_agent.dataset.inputs import ContentHashes, content_hashes
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.kept_found import read_found, write_found
from remote_agent.dataset.kept_plan import read_plan, write_plan
from remote_agent.dataset.row_arrays import RowArrays, read_arrays
from remote_agent.dataset.sources import Cancelled, data_files, never
from remote_agent.dataset.tokenizer_files import special_tokens, template_text, tokenizer_hash
from remote_agent.run_files.atomic_write import atomic_write_json

LAYOUT_VERSION = 5
"""Raised when what is kept, or how it is made, changes."""

MOST_BYTES = 4 << 30
"""What the whole cache may take on disk; the data that was looked at longest ago goes first."""

_END_BYTES = 1 << 16
_IN_USE_S = 3600.0
_KEPT_OF_A_KIND, _KEPT_REPORTS = 4, 100  # of one state of the data: plans, tokens and findings; reports
_USED, _ROWS, _REPORT, _HASH, _STAMPS = "used", "rows.json", "report", "content.json", "stamps.json"
_SET_WISE = (DropStep, DeduplicateStep, BalanceStep)
_PLACES = frozenset(("source", "path", "revision", "subset", "split", "held_out_path"))
_LATE = frozenset(("max_length", "over_length", "packing", "group_by_length"))
_HELD_OUT = ("held_out_fraction", "held_out_rows", "held_out_by", "held_out_column")
_CHOICES = frozenset((*_HELD_OUT, "weight", "max_epochs", "replay", "replay_share", "steps"))


class Keys(NamedTuple):
    """Names under which things are kept, each changing with all that the thing depends on.

    ``tokens``: the rows' tokens; ``plan``: which rows are trained, and the findings; ``report``: the report.
    """

    tokens: str
    plan: str
    report: str


def keys_of(inputs: Inputs, made: Path | None = None) -> Keys:
    """Return the keys of a job, without loading the tokenizer; ``made``: the file of rows that its steps made, if any.

    Raises:
        NotThereError: the model's folder has no tokenizer.json.
        DataError: a file of the tokenizer cannot be read.
    """
    job, folder = inputs.job, inputs.model_path
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise NotThereError(f"{folder}: there is no tokenizer.json; choose a model that has a fast tokenizer.")
    try:
        template = resolve_template(job.data.chat_template) or template_text(folder)
    except ValueError as error:
        raise DataError(str(error)) from None
    data = _without(spec_to_dict(job.data), _PLACES)
    steps = data["steps"]
    row_wise = [step for step, spec in zip(steps, job.data.steps, strict=True) if not isinstance(spec, _SET_WISE)]
    parts: dict[str, Any] = {
        "layout": LAYOUT_VERSION,
        "tokenizer": _tokenizer_hash(path, tuple(_state(path)), tuple(special_tokens(folder).items())),
        "template": template,
        "date": datetime.now().astimezone().date().isoformat() if "strftime_now" in template else "",
        "data": {**_without(data, _LATE | _CHOICES), "steps": row_wise},
        "made": _state(made) if made is not None else [],
    }
    tokens = _hashed(parts)
    by_length = any(isinstance(step, DropStep) and step.finding for step in job.data.steps)
    chosen = _hashed([tokens, job.seed, data if by_length else _without(data, _LATE)])
    return Keys(tokens, chosen, _hashed([chosen, {**spec_to_dict(job), "data": data}]))


def _without(data: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return a data spec, and the sources in it, without some fields."""
    kept = {name: value for name, value in data.items() if name not in names}
    kept["more"] = [_without({**source, "more": []}, names) for source in data.get("more", [])]
    return kept


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()[:24]


@functools.lru_cache(maxsize=4)
def _tokenizer_hash(path: Path, state: tuple[Any, ...], special: tuple[tuple[str, str], ...]) -> str:
    """Return the hash of a tokenizer; of a file in the same state it is not worked out again."""
    return tokenizer_hash(path.read_bytes(), dict(special))


def _state(path: Path) -> list[Any]:
    """Return what tells a file from any other in its place. Raises OSError."""
    state = path.stat()
    return [path.name, state.st_size, state.st_mtime_ns, state.st_ino]


class Stamp(NamedTuple):
    """The state of a file as the system tells it: enough to see that it was changed."""

    path: str
    size: int
    modified_ns: int
    inode: int


def stamps_of(paths: DataPaths) -> tuple[Stamp, ...]:
    """Return the state of every data file. Raises NotThereError where one is not there, DataError."""
    found = []
    for path in (*paths.data, *([paths.held_out] if paths.held_out else [])):
        for _, file in data_files(path):
            try:
                state = file.stat()
            except FileNotFoundError:
                raise NotThereError(f"{file}: there is no such file or folder.") from None
            found.append(Stamp(str(file.absolute()), state.st_size, state.st_mtime_ns, state.st_ino))
    return tuple(found)


class InspectionCache:
    """What is kept about one state of one choice of files.

    Attributes:
        folder: where it lies; also for the readers' own indices.
        stamps: the state of the files that it is about.
    """

    def __init__(self, root: Path, paths: DataPaths) -> None:
        """Open the folder, made where it is missing. Raises NotThereError, DataError, OSError."""
        self._paths = paths
        self.stamps = stamps_of(paths)
        ends = [_ends(Path(stamp.path), stamp.size) for stamp in self.stamps]
        counts = [len(paths.data), paths.held_out is not None]
        self.folder = root / _hashed([LAYOUT_VERSION, counts, self.stamps, ends])
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root
        if not (self.folder / _STAMPS).exists():
            atomic_write_json(str(self.folder / _STAMPS), [list(stamp) for stamp in self.stamps])
        self.touch()

    def check_files(self) -> None:
        """Raise DataError where a file is no longer what it was, NotThereError where it is gone."""
        if stamps_of(self._paths) != self.stamps:
            name = self._paths.data[0].name
            raise DataError(f"{name}: the data changed since it was looked at. Look at it again.")

    def touch(self) -> None:
        """Note that this is in use."""
        (self.folder / _USED).touch()

    def arrays(self, keys: Keys) -> RowArrays | None:
        """Return the numbers of all rows, None where they are not kept."""
        folder = self.folder / f"tokens-{keys.tokens}"
        if not folder.is_dir():
            return None
        try:
            arrays = read_arrays(folder)
            is_whole = arrays.rows == json.loads((folder / _ROWS).read_text(encoding="utf-8"))
        except (DataError, OSError, ValueError):
            is_whole = False
        if not is_whole:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return arrays

    def new_arrays(self, keys: Keys) -> Path:
        """Return a fresh folder to write the numbers of the rows to; `keep_arrays` takes it for good."""
        return self._new(f"tokens-{keys.tokens}")

    def keep_arrays(self, keys: Keys, folder: Path) -> Path:
        """Take what was written to a `new_arrays` folder for good, and return where it lies now."""
        atomic_write_json(str(folder / _ROWS), read_arrays(folder).rows)
        return _put(folder, self.folder / f"tokens-{keys.tokens}")

    def plan(self, keys: Keys) -> Plan | None:
        """Return which rows are trained, None where that is not kept."""
        folder = self.folder / f"plan-{keys.plan}"
        try:
            return read_plan(folder) if folder.is_dir() else None
        except (OSError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def keep_plan(self, keys: Keys, plan: Plan) -> None:
        """Keep which rows are trained."""
        folder = self._new(f"plan-{keys.plan}")
        write_plan(plan, folder)
        _put(folder, self.folder / f"plan-{keys.plan}")

    def found(self, keys: Keys) -> tuple[Found, ...] | None:
        """Return the findings of all rows, None where they are not kept."""
        folder = self.folder / f"found-{keys.plan}"
        try:
            return read_found(folder) if folder.is_dir() else None
        except (OSError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
            return None

    def keep_found(self, keys: Keys, found: Sequence[Found]) -> Path:
        """Keep the findings of all rows, and return where they lie; those so far are needed no more."""
        folder = self._new(f"found-{keys.plan}")
        write_found(found, folder)
        kept = _put(folder, self.folder / f"found-{keys.plan}")
        shutil.rmtree(self._aside(f"found-{keys.plan}.so-far"), ignore_errors=True)
        return kept

    def keep_found_so_far(self, keys: Keys, found: Sequence[Found]) -> Path:
        """Write the findings of the rows read so far to a folder of this process's own, and return it."""
        folder = self._new(f"found-{keys.plan}.so-far")
        write_found(found, folder)
        return folder

    def report(self, keys: Keys) -> DataReport | None:
        """Return the complete report, None where it is not kept."""
        path = self.folder / f"{_REPORT}-{keys.report}.json"
        try:
            return from_wire(DataReport, json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
        except ValueError:
            path.unlink(missing_ok=True)
            return None

    def keep_report(self, keys: Keys, report: DataReport) -> None:
        """Keep a complete report."""
        path = self.folder / f"{_REPORT}-{keys.report}.json"
        atomic_write_json(str(path), to_wire(report))
        _remove_older(path, _KEPT_REPORTS)

    def hashes(self) -> ContentHashes | None:
        """Return the hashes of the data's bytes, None where they are not known yet."""
        try:
            value = json.loads((self.folder / _HASH).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        is_ours = isinstance(value, list) and len(value) == 2 and all(isinstance(one, str) for one in value)
        return ContentHashes(*value) if is_ours else None

    def content_hash(self) -> str:
        """Return the hash of the training data's bytes, empty where it is not known yet."""
        hashes = self.hashes()
        return hashes.data if hashes is not None else ""

    def take_hashes(self, cancelled: Cancelled = never) -> ContentHashes:
        """Return the hashes of the data's bytes, read and kept where they are not known. Raises as `content_hashes`."""
        found = self.hashes()
        if found is None:
            found = content_hashes(self._paths, cancelled)
            atomic_write_json(str(self.folder / _HASH), list(found))
        return found

    def made(self, inputs: Inputs) -> Path | None:
        """Return the file of rows that the job's steps made; None where there is none, or that is not known yet."""
        hashes = self.hashes() if inputs.makes_rows else None
        path = inputs.augmented(self._root.parent, hashes=hashes) if hashes is not None else None
        return path if path is not None and path.is_file() else None

    def _aside(self, name: str) -> Path:
        return self.folder / f".{name}.{os.getpid()}"

    def _new(self, name: str) -> Path:
        """Return a fresh folder aside, this process's own."""
        for left in self.folder.glob(".*"):
            if time.time() - _written_s(left) > _IN_USE_S:
                shutil.rmtree(left, ignore_errors=True)
        folder = self._aside(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def trim(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what is about files that changed since, then what was used longest ago until the rest takes at most
        so much; never what is in use."""
        others = [folder for folder in self._root.iterdir() if folder.is_dir() and folder != self.folder]
        for folder in others:
            if time.time() - _used_s(folder) >= _IN_USE_S and _is_outdated(folder):
                shutil.rmtree(folder, ignore_errors=True)
        used = sorted((_used_s(folder), folder) for folder in others if folder.is_dir())
        total = _size(self.folder) + sum(_size(folder) for folder in others)
        for when, folder in used:
            if total <= most_bytes or time.time() - when < _IN_USE_S:
                return
            total -= _size(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_outdated(folder: Path) -> bool:
    """Say whether a file that the folder is about is there in another state; one that is away may come back."""
    try:
        stamps = [Stamp(*stamp) for stamp in json.loads((folder / _STAMPS).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return False
    for stamp in stamps:
        with contextlib.suppress(OSError):
            state = Path(stamp.path).stat()
            if (state.st_size, state.st_mtime_ns, state.st_ino) != stamp[1:]:
                return True
    return False


def _put(aside: Path, folder: Path) -> Path:
    """Put a folder in the place of another; whoever has the old one mapped keeps it."""
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    _remove_older(folder, _KEPT_OF_A_KIND)
    return folder


def _remove_older(newest: Path, most: int) -> None:
    """Remove the oldest of what lies beside ``newest`` and is of its kind, so that ``most`` stay."""
    kind = newest.name.partition("-")[0]
    kept = sorted(newest.parent.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-most]:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def _used_s(folder: Path) -> float:
    try:
        return (folder / _USED).stat().st_mtime
    except OSError:
        return 0.0


def _written_s(folder: Path) -> float:
    """Return when something in a folder was written last."""
    return max((file.stat().st_mtime for file in (folder, *folder.glob("*"))), default=0.0)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _ends(path: Path, size: int) -> str:
    """Return a hash of the first and the last 64 KiB of a file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_END_BYTES))
        file.seek(max(0, size - _END_BYTES))
        digest.update(file.read(_END_BYTES))
    return digest.hexdigest()
