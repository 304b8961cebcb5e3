"""The bundle that reruns a job without the studio: spec, configuration, agent, hashes, losses and a thin run.sh."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract import bundle as names
from remote_agent.contract.amendments import in_order
from remote_agent.contract.bundle import Bundle, BundleAmendment, BundleInput, BundleLoss
from remote_agent.contract.data_report import FileEntry
from remote_agent.contract.data_spec import SourceSpec, all_sources, held_out_source
from remote_agent.contract.deepspeed_config import deepspeed_config
from remote_agent.contract.events import Amended, Evaluated, TrainingEnded
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import is_run_id
from remote_agent.contract.spec_json import spec_from_json, spec_to_json
from remote_agent.contract.wire import from_wire, to_wire
from studio import __version__
from studio.job_file import job_to_yaml, read_job_file
from studio.remote.deploy import agent_archive
from studio.store.library import Library
from studio.store.replay import replay
from studio.store.rows import RunRow

_LOCKED = ("torch", "transformers", "deepspeed", "accelerate", "safetensors", "tokenizers", "numpy", "pyarrow")
_MODEL_FILE = re.compile(r".+\.(safetensors|json|jinja|model|txt|py)\Z")


class ExportError(ValueError):
    """The bundle cannot be written; the text is a sentence for people."""


def export(what: str, folder: Path, library: Library, pack: bool = False) -> Bundle:
    """Write the bundle of a run (by its id) or of a job file (by its path).

    Raises:
        ExportError: there is no such run, the folder holds something, or an input that should be packed is not here;
        SpecError, OSError: the job file cannot be read.
    """
    if is_run_id(what):
        row = library.run(what)
        if row is None:
            raise ExportError(f"There is no run {what} in this library; `luthier runs` lists them.")
        return export_run(row, folder, library, pack)
    return export_job(read_job_file(Path(what)), folder, pack)


def export_run(row: RunRow, folder: Path, library: Library, pack: bool = False) -> Bundle:
    """Write a run's bundle into an empty or new folder, with the losses that its journal holds. Raises ExportError."""
    spec = spec_from_json(row.job)
    kept = json.loads(row.bundle) if row.bundle else {}
    environment = kept.get("environment", {})
    told = _told(library, row.run_id)
    made = Bundle(
        name=row.name,
        luthier_version=__version__,
        model=_kept_input(kept, "model", spec.model.id),
        data=_kept_input(kept, "data", spec.data.path),
        more_data=_kept_sources(kept, spec),
        held_out=from_wire(BundleInput, kept["held_out"]) if kept.get("held_out") else None,
        run_id=row.run_id,
        ranks=spec.strategy.ranks,
        threads_per_rank=_threads(spec, environment),
        cpu=str(environment.get("cpu", "")),
        gpus=tuple(str(gpu) for gpu in environment.get("gpus", ())),
        packages=_packages(environment),
        deterministic=spec.determinism.enabled or not environment.get("gpus"),
        losses=told.losses,
        held_out_losses=told.held_out_losses,
        complete=told.complete,
        amendments=told.amendments,
    )
    return _write(made, spec, folder, pack)


def export_job(spec: JobSpec, folder: Path, pack: bool = False) -> Bundle:
    """Write the bundle of a job that was not run; inputs on this computer are hashed. Raises ExportError."""
    sources = [_source_input(source) for source in all_sources(spec.data)]
    held_out = held_out_source(spec.data)
    made = Bundle(
        name=spec.name,
        luthier_version=__version__,
        model=_local_input(spec.model.source, spec.model.id, "model", spec.model.revision),
        data=sources[0],
        more_data=tuple(sources[1:]),
        held_out=_source_input(held_out) if held_out is not None else None,
        ranks=spec.strategy.ranks,
        threads_per_rank=spec.strategy.threads_per_rank,
        packages=_declared_packages(),
        deterministic=spec.determinism.enabled,
    )
    return _write(made, spec, folder, pack)


def hub_data_input(source: SourceSpec) -> BundleInput:
    """Return what a bundle says of a data set of the Hub."""
    revision = f" --revision {source.revision}" if source.revision else ""
    return BundleInput(source.path, f"Download it: hf download --repo-type dataset {source.path}{revision}")


def file_entries(source: Path) -> tuple[FileEntry, ...]:
    """Return size and SHA-256 of a file, or of every file below a folder, in the order of their names."""
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    root = source if source.is_dir() else source.parent
    return tuple(FileEntry(path.relative_to(root).as_posix(), path.stat().st_size, file_sha256(path)) for path in paths)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(made: Bundle, spec: JobSpec, folder: Path, pack: bool) -> Bundle:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is not empty; choose a new folder, so that nothing in it is overwritten.")
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        if pack:
            made = _packed(made, spec, aside)
        for name, text in _texts(made, spec).items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
        (aside / names.RUN_SCRIPT).chmod(0o755)
        (aside / names.AGENT).write_bytes(agent_archive().data)
        if folder.exists():
            folder.rmdir()
        aside.replace(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return made


def _texts(made: Bundle, spec: JobSpec) -> dict[str, str]:
    return {
        names.JOB: spec_to_json(spec),
        names.JOB_YAML: job_to_yaml(spec),
        names.DS_CONFIG: json.dumps(deepspeed_config(spec), indent=2) + "\n",
        names.REQUIREMENTS: _requirements(made.packages),
        names.BUNDLE: json.dumps(to_wire(made), indent=2, ensure_ascii=False) + "\n",
        names.RUN_SCRIPT: RUN_SCRIPT,
        names.README: _readme(made),
    }


def _packed(made: Bundle, spec: JobSpec, folder: Path) -> Bundle:
    """Copy the inputs that lie on this computer into the bundle. Raises ExportError where one does not."""
    original = spec.model.id if spec.model.source == "desktop" else made.model.path
    return dataclasses.replace(
        made,
        model=_packed_input(made.model, names.PACKED_MODEL, folder, original),
        data=_packed_input(made.data, names.packed_data(1), folder),
        more_data=tuple(
            _packed_input(one, names.packed_data(number), folder) for number, one in enumerate(made.more_data, 2)
        ),
        held_out=_packed_input(made.held_out, names.PACKED_HELD_OUT, folder) if made.held_out is not None else None,
    )


def _packed_input(wanted: BundleInput, target: str, folder: Path, original: str = "") -> BundleInput:
    places = [Path(text).expanduser() for text in (wanted.path, original) if text]
    source = next((path for path in places if path.exists()), None)
    if source is None:
        raise ExportError(f"{wanted.path} is not on this computer, so it cannot be packed; export without packing.")
    packed = target if source.is_dir() else f"{target}/{source.name}"
    (folder / packed).parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, folder / packed)
    else:
        shutil.copy2(source, folder / packed)
    return dataclasses.replace(wanted, packed=packed, how="It is packed inside this bundle.")


class _Told(NamedTuple):
    """What a run's journal says: losses by step, of each step the newest attempt's, its end, what was changed."""

    losses: tuple[BundleLoss, ...]
    held_out_losses: tuple[BundleLoss, ...]
    complete: bool
    amendments: tuple[BundleAmendment, ...]


def _told(library: Library, run_id: str) -> _Told:
    changed: list[Amended] = []
    losses: dict[int, tuple[int, float]] = {}
    held_out: dict[int, tuple[int, float]] = {}
    complete = False
    for batch, _ in replay(library, run_id):
        columns = (batch.steps.column(name) for name in ("step", "attempt", "loss"))
        for step, attempt, loss in zip(*columns, strict=True):
            _newest(losses, int(step), int(attempt), loss)
        for stamped in batch.events:
            if isinstance(stamped.event, Evaluated):
                _newest(held_out, stamped.event.step, stamped.event.attempt, stamped.event.loss)
            elif isinstance(stamped.event, TrainingEnded):
                complete = stamped.event.complete
            elif isinstance(stamped.event, Amended):
                changed.append(stamped.event)
    amendments = tuple(BundleAmendment(one.from_step, one.field, one.value) for one in in_order(changed))
    return _Told(_as_hex(losses), _as_hex(held_out), complete, amendments)


def _newest(into: dict[int, tuple[int, float]], step: int, attempt: int, loss: float) -> None:
    if step not in into or into[step][0] <= attempt:
        into[step] = (attempt, loss)


def _as_hex(losses: Mapping[int, tuple[int, float]]) -> tuple[BundleLoss, ...]:
    return tuple(BundleLoss(step, loss.hex()) for step, (_, loss) in sorted(losses.items()))


def _kept_input(kept: Mapping[str, Any], key: str, path: str) -> BundleInput:
    if kept.get(key):
        return from_wire(BundleInput, kept[key])
    return BundleInput(path, "The run was started elsewhere; this is where its job found it.")


def _kept_sources(kept: Mapping[str, Any], spec: JobSpec) -> tuple[BundleInput, ...]:
    if kept.get("more_data"):
        return tuple(from_wire(BundleInput, one) for one in kept["more_data"])
    return tuple(_kept_input({}, "", source.path) for source in spec.data.more)


def _source_input(source: SourceSpec) -> BundleInput:
    return hub_data_input(source) if source.source == "hub" else _local_input(source.source, source.path, "data")


def _local_input(source: str, text: str, kind: str, revision: str = "") -> BundleInput:
    if source == "hub":
        return BundleInput(
            text, f"Download it from the Hub: hf download {text}{f' --revision {revision}' if revision else ''}"
        )
    if source != "desktop":
        return BundleInput(text, "It lies on the node.")
    path = Path(text).expanduser().absolute()
    if not text or not path.exists():
        raise ExportError(f"The {kind} {path if text else ''} is not on this computer; choose it in the job first.")
    files: tuple[FileEntry, ...] = file_entries(path)
    if kind == "model":
        files = tuple(entry for entry in files if "/" not in entry.name and _MODEL_FILE.match(entry.name))
    return BundleInput(str(path), "It lay on the computer that exported the job.", "", files)


def _threads(spec: JobSpec, environment: Mapping[str, Any]) -> int:
    found = environment.get("threads_per_rank", 0)
    return spec.strategy.threads_per_rank or (found if isinstance(found, int) else 0)


def _packages(environment: Mapping[str, Any]) -> dict[str, str]:
    found = environment.get("packages", {})
    items: Iterable[tuple[Any, Any]] = found.items() if isinstance(found, dict) else ()
    return {str(name): str(version) for name, version in items if version}


def _declared_packages() -> dict[str, str]:
    """Return the trainer's pinned packages as the distribution (or the checkout) declares them."""
    try:
        declared = [line for line in importlib.metadata.requires("luthier-studio") or () if "extra ==" in line]
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
        declared = list(project["project"]["optional-dependencies"]["trainer"])
    pins = (re.match(r"([A-Za-z0-9._-]+)==([^\s;,]+)", line) for line in declared)
    return {pin.group(1): pin.group(2) for pin in pins if pin and pin.group(1) in _LOCKED}


def _requirements(packages: Mapping[str, str]) -> str:
    """Return the packages as pip reads them; a build's own mark, such as +cpu, is a comment, since no index has it."""
    lines = []
    for name, version in sorted(packages.items()):
        public, _, build = version.partition("+")
        lines.append(f"{name}=={public}" + (f"  # the original ran {version}" if build else ""))
    return "\n".join([*lines, *(["ninja>=1.11"] if lines else [])]) + "\n"


def _readme(made: Bundle) -> str:
    origin = f" from the run {made.run_id}" if made.run_id else ""
    inputs = [("MODEL", made.model), ("DATA", made.data)]
    inputs += [(f"DATA_{number}", about) for number, about in enumerate(made.more_data, 2)]
    if made.held_out is not None:
        inputs.append(("HELD_OUT", made.held_out))
    hardware = ", ".join(made.gpus) or made.cpu or "unknown hardware"
    threads = made.threads_per_rank or "cores / ranks"
    same = "On like hardware, with as many ranks and threads, the losses are equal to the last bit; otherwise"
    lines = [
        f"# {made.name}",
        "",
        f"Exported by Luthier {made.luthier_version}{origin}. job.yaml is for people, job.json is what run.sh uses.",
        "",
        "    bash run.sh              # the whole run again",
        "    bash run.sh --verify     # and compare its losses with the original's",
        "",
        "Python with the packages of requirements.lock and a C++ compiler are needed; name another Python with",
        "`PYTHON=/path/to/python bash run.sh`. `NPROC=` sets the ranks, `OUT=` the folder for the results.",
        "",
        "## Inputs",
        "",
        *(_input_line(variable, given) for variable, given in inputs),
        "",
        "## The same numbers",
        "",
        f"The original ran on {hardware}; ranks: {made.ranks}, threads a rank: {threads}.",
        f"{same if made.deterministic else 'The original was not deterministic, so'} `--verify` allows a relative",
        f"difference of {made.tolerance:g}.",
    ]
    if made.amendments:
        lines += ["", "While the original went on, this was changed; the rerun does the same at the same updates:", ""]
        lines += [f"- `{one.field}` = {one.value:g} from update {one.from_step} on" for one in made.amendments]
    if not made.losses:
        lines.append("This bundle holds no losses, since the job was not run before the export.")
    return "\n".join(lines) + "\n"


def _input_line(variable: str, given: BundleInput) -> str:
    where = f"`{given.packed}` in this folder" if given.packed else f"`{variable}=/path`, originally `{given.path}`"
    checked = "Its content is checked by hash before anything starts."
    if given.files:
        checked = f"The SHA-256 of {len(given.files)} of its files is checked before anything starts."
    return f"- **{variable}**: {where}. {given.how} {checked}"


RUN_SCRIPT = """\
#!/usr/bin/env bash
# Reruns this job without the studio; the arguments and variables are told by README.md.
#   MODEL= DATA= DATA_2= ... HELD_OUT= NPROC= PYTHON= OUT=   bash run.sh [--verify]
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
wanted="${PYTHON:-python3}"
python="$(command -v "$wanted")" || { echo "There is no $wanted; set PYTHON=/path/to/python." >&2; exit 2; }
out="${OUT:-$here/rerun-$(date -u +%Y%m%d-%H%M%S)}"
agent="$(mktemp -d)"
trap 'rm -rf "$agent"' EXIT

unpack='import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])'
"$python" -I -B -c "$unpack" "$here/agent.zip" "$agent"

arguments=(--bundle "$here" --out "$out" --python "$python")
[ -z "${MODEL:-}" ] || arguments+=(--model "$MODEL")
[ -z "${DATA:-}" ] || arguments+=(--data "$DATA")
for name in "${!DATA_@}"; do
  [[ ! "$name" =~ ^DATA_[0-9]+$ || -z "${!name}" ]] || arguments+=(--data-"${name#DATA_}" "${!name}")
done
[ -z "${HELD_OUT:-}" ] || arguments+=(--held-out "$HELD_OUT")
[ -z "${NPROC:-}" ] || arguments+=(--nproc "$NPROC")

"$python" -I -B "$agent" rerun "${arguments[@]}" "$@"
"""
