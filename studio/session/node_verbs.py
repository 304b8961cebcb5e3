"""What a person does with nodes: add them, look at them, choose Python and GPUs there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from studio.remote.errors import HostKeyUnknown
from studio.remote.transport import NodeAddress
from studio.session.run_verbs import RunVerbs
from studio.state.draft import Draft
from studio.state.node import adapted_to_node


class NodeVerbs(RunVerbs):
    """The verbs about nodes. Its `Session` sets the attributes."""

    draft: Draft

    def add_node(self, address: NodeAddress) -> None:
        """Keep a node, or its new address, and probe it. Raises ValueError with a sentence."""
        self._nodes.add(address)

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
        chosen = tuple(gpu for gpu in report.gpus if gpu.uuid in uuids)
        self.draft.set_known(gpus=tuple(gpu.uuid for gpu in chosen))
        if chosen:
            adaptation = adapted_to_node(self.draft.spec, dataclasses.replace(report, gpus=chosen))
            if adaptation.changes:
                self.draft.edit(adaptation.changes)
                self.notice.emit("info", adaptation.sentence)
        self.inputs_changed.emit()
