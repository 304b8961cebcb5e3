"""A node as the studio knows it, and what a job has to change to run there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.node_report import NodeReport

UNKNOWN, PROBING, READY, UNREACHABLE, NEEDS_PERSON = "unknown", "probing", "ready", "unreachable", "needs_person"
BF16_CAPABILITY = 8.0


class Address(Protocol):
    """How a node is reached; `studio.remote.transport.NodeAddress` is one. ``kind`` is local, ssh or command."""

    @property
    def name(self) -> str:
        """Return the name shown for it, unique among the nodes."""

    @property
    def kind(self) -> str:
        """Return "local" or "ssh"."""

    @property
    def host(self) -> str:
        """Return the host name, empty for this computer."""

    @property
    def port(self) -> int:
        """Return the port, 0 where ssh's configuration decides."""

    @property
    def user(self) -> str:
        """Return the user, empty where ssh's configuration decides."""

    @property
    def identity_file(self) -> str:
        """Return the private key's path, empty where ssh's configuration and agent decide."""

    @property
    def home(self) -> str:
        """Return the agent's folder on the node."""

    @property
    def python(self) -> str:
        """Return the interpreter chosen for the trainer, empty where the probe chooses."""

    @property
    def jump(self) -> str:
        """Return the hosts to go through, empty where ssh's configuration decides."""

    @property
    def program(self) -> str:
        """Return "ssh" where the system's own ssh is used, else empty."""

    @property
    def command(self) -> str:
        """Return the command that reaches a node of the kind command."""


@dataclasses.dataclass(frozen=True)
class Labels:
    """Where a person put a node in the address book: a group, empty for none, and tags."""

    group: str = ""
    tags: tuple[str, ...] = ()

    @property
    def searched(self) -> str:
        """Return what a filter looks through, in one case."""
        return " ".join((self.group, *self.tags)).casefold()


NO_LABELS = Labels()


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags that a person wrote with commas between them, each once."""
    return tuple(dict.fromkeys(tag for tag in (" ".join(part.split()) for part in text.split(",")) if tag))


def in_groups(nodes: Iterable[NodeState]) -> list[tuple[str, list[NodeState]]]:
    """Return the nodes by their group, those without one first, then the groups in the order of their names."""
    groups: dict[str, list[NodeState]] = {"": []}
    for node in nodes:
        groups.setdefault(node.labels.group, []).append(node)
    return sorted(groups.items(), key=lambda item: (item[0].casefold(), item[0]))


@dataclasses.dataclass(frozen=True)
class NodeState:
    """A node's address, its last probe and its link.

    ``link`` is one of unknown, probing, ready, unreachable and needs_person; ``problem`` is a sentence, empty where
    the last contact went well.
    """

    address: Address
    report: NodeReport | None = None
    link: str = UNKNOWN
    problem: str = ""
    labels: Labels = NO_LABELS

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.address.name

    @property
    def is_local(self) -> bool:
        """Say whether the node is this computer."""
        return self.address.kind == "local"


@dataclasses.dataclass(frozen=True)
class Adaptation:
    """What a job changes to run on a node: values by field path, and the sentence that says so (empty: nothing)."""

    changes: Mapping[str, Any]
    sentence: str


def adapted_to_node(spec: JobSpec, report: NodeReport) -> Adaptation:
    """Return the changes that fit ranks and precision to a node and keep the global batch as it is."""
    changes: dict[str, Any] = {}
    said: list[str] = []
    _fit_precision(spec, report, changes, said)
    _fit_ranks(spec, report, changes, said)
    sentence = f"For {report.hostname}: {', '.join(said)}." if said else ""
    return Adaptation(changes, sentence)


def _fit_precision(spec: JobSpec, report: NodeReport, changes: dict[str, Any], said: list[str]) -> None:
    capable = bool(report.gpus) and all(_capability(gpu.compute_capability) >= BF16_CAPABILITY for gpu in report.gpus)
    precision = "bf16" if capable else "fp32"
    if precision != spec.strategy.precision:
        changes["strategy.precision"] = precision
        said.append(f"precision is {precision}")
    if spec.strategy.attention == "flash_attention_2" and precision == "fp32":
        changes["strategy.attention"] = "sdpa"
        said.append("attention is SDPA")


def _fit_ranks(spec: JobSpec, report: NodeReport, changes: dict[str, Any], said: list[str]) -> None:
    batch, before = spec.batch, spec.strategy.ranks
    wanted = len(report.gpus) if report.gpus else min(before, max(1, report.cores))
    per_micro_batch = max(1, batch.accumulation * before)
    ranks = next(count for count in range(max(1, wanted), 0, -1) if per_micro_batch % count == 0)
    if ranks != before:
        changes["strategy.ranks"] = ranks
        changes["batch.accumulation"] = per_micro_batch // ranks
        said.append(
            f"{ranks} {'process' if ranks == 1 else 'processes'} instead of {before}, accumulation "
            f"{per_micro_batch // ranks}; the global batch stays {batch.micro_batch * per_micro_batch}"
        )
    if report.gpus and ranks < wanted:
        idle = wanted - ranks
        said.append(
            f"{idle} of {wanted} GPUs stay idle, because a global batch of {batch.micro_batch * per_micro_batch} "
            "does not divide among more"
        )


def _capability(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
