"""What a person does with nodes: add them, look at them, choose Python and GPUs there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from remote_agent.contract.node_report import Gpu, NodeReport
from studio.remote.errors import HostKeyUnknown
from studio.remote.transport import NodeAddress
from studio.session.last_places import LastPlaces
from studio.session.run_verbs import RunVerbs
from studio.state.draft import Draft
from studio.state.node import Labels, adapted_to_node


class NodeVerbs(RunVerbs):
    """The verbs about nodes. Its `Session` sets the attributes."""

    draft: Draft
    job_id: str
    node_name: str
    _last: LastPlaces

    def _chosen_gpus(self, report: NodeReport | None) -> tuple[Gpu, ...]:
        """Return the GPUs that the open job was given on the chosen node, as far as the node still has them."""
        wanted = self._last.gpus_of(self.job_id, self.node_name)
        return tuple(gpu for gpu in report.gpus if gpu.uuid in wanted) if report is not None else ()

    def add_node(self, address: NodeAddress) -> None:
        """Keep a node, or its new address, and probe it. Raises ValueError with a sentence."""
        self._nodes.add(address)

    def label_node(self, name: str, labels: Labels) -> None:
        """Put a node into a group of the address book and give it tags. Raises KeyError for an unknown name."""
        self._nodes.label(name, labels)

    def place_folders(
        self, name: str, folders: Mapping[str, str], on_done: Callable[[], None], on_error: Callable[[str], None]
    ) -> None:
        """Let folders of the agent lie elsewhere on a node: paths by name, "" for its home. An error is a sentence."""
        self._nodes.place_folders(name, folders, on_done, on_error)

    def probe_node(self, name: str) -> None:
        """Look at a node now."""
        self._nodes.probe(name)

    def choose_python(self, name: str, python: str) -> None:
        """Choose the trainer's interpreter on a node, empty to let the probe choose."""
        self._nodes.set_python(name, python)

    def accept_host_key(self, question: HostKeyUnknown) -> None:
        """Pin a host key that a person has compared, and go on."""
        try:
            self._nodes.accept_host_key(question)
        except OSError as error:
            self.notice.emit("error", f"The key cannot be kept: {error.strerror}.")

    def browse(
        self, node: str, path: str, on_result: Callable[[dict[str, Any]], None], on_error: Callable[[str], None]
    ) -> None:
        """List a folder of a node: ``on_result`` gets {path, parent, entries: [{name, is_dir, size_bytes}]}."""
        self._nodes.browse(node, path, on_result, on_error)

    def choose_gpus(self, uuids: Sequence[str]) -> None:
        """Choose the chosen node's GPUs for the job, none to take free ones; ranks follow, the global batch stays."""
        report = self.draft.known.node
        if report is None:
            return
        self._last.remember_gpus(
            self.job_id, self.node_name, tuple(gpu.uuid for gpu in report.gpus if gpu.uuid in uuids)
        )
        chosen = self._chosen_gpus(report)
        self.draft.set_known(gpus=tuple(gpu.uuid for gpu in chosen))
        if chosen:
            adaptation = adapted_to_node(self.draft.spec, dataclasses.replace(report, gpus=chosen))
            if adaptation.changes:
                self.draft.edit(adaptation.changes)
                self.notice.emit("info", adaptation.sentence)
        self.inputs_changed.emit()
