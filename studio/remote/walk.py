"""Tries the way to a node step by step, with one sentence for each step, so that a person sees where it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from studio.remote.agent import Agent
from studio.remote.asking import Asker
from studio.remote.errors import RemoteError
from studio.remote.reach import ssh_config_file, unshared_transport
from studio.remote.transport import NodeAddress


class Step(NamedTuple):
    """One step. ``error`` is what ended the way, None where the step went well; it carries a host key's question."""

    sentence: str
    error: RemoteError | None = None


def walk(address: NodeAddress, known_hosts: Path, asker: Asker, on_step: Callable[[Step], None]) -> bool:
    """Go the whole way on a connection of its own and say every step; return whether the agent answered.

    The last step is the agent's own look at the node. Nothing on the node is changed but that the agent's files are
    there.
    """

    def tell(sentence: str) -> None:
        on_step(Step(sentence))

    began = time.monotonic()
    try:
        transport = unshared_transport(address, known_hosts, asker, tell)
        try:
            if address.kind == "ssh" and address.program == "ssh":
                where = ssh_config_file() or "your own configuration"
                tell(f"The system's ssh is asked, with {where}.")
            report = Agent(transport, address.home, network=address.network).probe(address.python)
        finally:
            transport.close()
    except RemoteError as error:
        on_step(Step(error.sentence, error))
        return False
    tell(f"It runs commands without a terminal, and its Python is {report.python_version}.")
    gpus = f"{len(report.gpus)} GPUs" if len(report.gpus) > 1 else "1 GPU" if report.gpus else "no GPU"
    taken_s = time.monotonic() - began
    tell(f"The agent answered from {report.hostname} after {taken_s:.1f} s: {report.cores} cores, {gpus}.")
    return True
