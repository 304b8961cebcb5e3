"""Which trackers a run feeds beside Luthier's own library: all off, and offline, unless the job says otherwise."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Dict, Iterator, List, Mapping, NamedTuple, Tuple
from urllib.parse import urlsplit

from remote_agent.contract.knob import described_fields, knob
from remote_agent.contract.problem import ERROR, Fix, Known, Problem

if TYPE_CHECKING:
    from remote_agent.contract.job_spec import JobSpec

TENSORBOARD, WANDB, MLFLOW, TRACKIO = "tensorboard", "wandb", "mlflow", "trackio"
TRACKER_KINDS = (TENSORBOARD, WANDB, MLFLOW, TRACKIO)
TRACKER_NAMES: Mapping[str, str] = {
    TENSORBOARD: "TensorBoard", WANDB: "Weights & Biases", MLFLOW: "MLflow", TRACKIO: "trackio",
}  # fmt: skip
TRACKER_PACKAGES: Mapping[str, str] = {WANDB: "wandb", MLFLOW: "mlflow-skinny", TRACKIO: "trackio"}
"""What pip calls a tracker's library; TensorBoard's files need none."""

OFF, OFFLINE, ONLINE = "off", "offline", "online"
_MODES = (OFF, OFFLINE, ONLINE)

KEY_NAMES: Mapping[str, Tuple[str, ...]] = {
    TENSORBOARD: (),
    WANDB: ("WANDB_API_KEY",),
    MLFLOW: ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
    TRACKIO: ("HF_TOKEN",),
}
"""Under which names a tracker's library looks for its keys; they go as secrets, never in a job."""


@dataclasses.dataclass(frozen=True)
class TrackersSpec:
    """Where a run's metrics go besides the journal. Offline they stay on the node, in the run's folder."""

    tensorboard: bool = knob(
        False, "TensorBoard files", "The node writes event files into the run's folder, under the names that "
        "transformers gives: train/loss, eval/loss, train/learning_rate, train/grad_norm. Needs no package.",
    )  # fmt: skip
    wandb: str = knob(
        OFF, "Weights and Biases", "Offline keeps a run on the node that `wandb sync` uploads later; online sends it "
        "while it goes on, with your key. Metrics and recipe only, never a row. Needs wandb on the node.",
        choices=_MODES,
    )  # fmt: skip
    mlflow: str = knob(
        OFF, "MLflow", "Offline keeps a file store on the node; online sends to the server below. Metrics and recipe "
        "only, never a row. Needs mlflow or mlflow-skinny on the node.", choices=_MODES,
    )  # fmt: skip
    trackio: str = knob(
        OFF, "trackio", "Offline keeps a database on the node for `trackio show`; online sends to the Space below. "
        "Metrics and recipe only, never a row. Needs trackio on the node.", choices=_MODES,
    )  # fmt: skip
    project: str = knob(
        "luthier", "Tracker project", "The project, or MLflow's experiment, that runs are gathered in.", advanced=True
    )
    run_name: str = knob(
        "", "Name in trackers", "What the run is called there; empty for the job's own name.", advanced=True
    )
    wandb_server: str = knob(
        "", "W&B server", "The address of a W&B server of your own; empty for the public one.", advanced=True
    )
    mlflow_server: str = knob(
        "", "MLflow server", "The address of the tracking server, without user and password.", advanced=True
    )
    trackio_space: str = knob("", "trackio Space", "The Hub Space that shows the runs: org/name.", advanced=True)


class Tracker(NamedTuple):
    """One tracker that a run feeds. ``server`` is an address, or a Space for trackio; empty for the usual one."""

    kind: str
    online: bool = False
    project: str = "luthier"
    run_name: str = ""
    server: str = ""


def trackers_of(spec: JobSpec) -> List[Tracker]:
    """Return the trackers of a job, none where all are off."""
    said = spec.trackers
    name = said.run_name.strip() or spec.name
    found = [Tracker(TENSORBOARD, False, said.project, name)] if said.tensorboard else []
    for kind, mode, server in (
        (WANDB, said.wandb, said.wandb_server), (MLFLOW, said.mlflow, said.mlflow_server),
        (TRACKIO, said.trackio, said.trackio_space),
    ):  # fmt: skip
        if mode != OFF:
            found.append(Tracker(kind, mode == ONLINE, said.project, name, server.strip() if mode == ONLINE else ""))
    return found


_TOLD = ("seed", "model.id", "model.revision", "optimizer.", "schedule.", "regularization.", "batch.", "strategy.",
         "data.max_length", "data.packing", "data.train_on")  # fmt: skip


def recipe_of(spec: JobSpec) -> Dict[str, object]:
    """Return what a tracker is told of a job, by dotted path: model and recipe; no data paths, no prompts."""
    from remote_agent.contract.job_spec import JobSpec as Spec
    from remote_agent.contract.job_spec import value_at

    told: Dict[str, object] = {}
    for field in described_fields(Spec):
        if field.path.startswith(_TOLD):
            value = value_at(spec, field.path)
            told[field.path] = value if isinstance(value, (bool, int, float, str)) else str(value)
    return told


def address_problem(kind: str, server: str) -> str:
    """Return what is wrong with a tracker's address, empty where nothing is."""
    name = TRACKER_NAMES[kind]
    if kind == TRACKIO:
        if server.count("/") != 1 or not all(server.split("/")) or ":" in server or "@" in server:
            return "trackio sends to a Space of the Hub, named as org/name; {!r} is none.".format(server)
        return ""
    try:
        parts = urlsplit(server)
        host = parts.hostname
    except ValueError:
        return "The address of {} is none: {!r}.".format(name, server)
    if "@" in parts.netloc or parts.query:
        return (
            "The address of {} holds a user, a password or a key, which would lie in the job. Give the bare address, "
            "and the key where keys are kept."
        ).format(name)
    if parts.scheme not in ("http", "https") or not host:
        return "The address of {} has to begin with http:// or https://.".format(name)
    return ""


def tracker_problems(spec: JobSpec, known: Known) -> Iterator[Problem]:
    """Yield what stands against the trackers of a job."""
    said = spec.trackers
    wanted = trackers_of(spec)
    if wanted and not said.project.strip():
        yield Problem(
            ERROR, "trackers.project", "The trackers need the name of a project.",
            Fix("Set to luthier", (("trackers.project", "luthier"),)),
        )  # fmt: skip
    for kind, path, is_needed in (
        (WANDB, "trackers.wandb_server", False), (MLFLOW, "trackers.mlflow_server", True),
        (TRACKIO, "trackers.trackio_space", True),
    ):  # fmt: skip
        mode = getattr(said, kind)
        server = getattr(said, path.partition(".")[2]).strip()
        keep = Fix("Keep it offline", (("trackers." + kind, OFFLINE),))
        if server:
            problem = address_problem(kind, server)
            if problem:
                yield Problem(ERROR, path, problem)
        elif mode == ONLINE and is_needed:
            sentence = "{} is online and has no address to send to.".format(TRACKER_NAMES[kind])
            yield Problem(ERROR, path, sentence, keep)
