"""One command of the agent: the call that every method of it makes, and the commands that build environments."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_agent.contract.environment_lock import BuiltEnvironment, EnvironmentLock
from remote_agent.contract.frames import Frame
from remote_agent.contract.node_network import NodeNetwork
from remote_agent.contract.node_report import CollectiveReport, NodeFolder
from remote_agent.contract.wire import to_wire
from studio.remote.answers import answer_as, answers_as
from studio.remote.call import OWN_NETWORK, Call, OnProgress, Patience, progress_of
from studio.remote.deploy import AgentArchive, agent_archive
from studio.remote.errors import AgentFailed
from studio.remote.joining import Joins
from studio.remote.sending import send_source
from studio.remote.transport import Transport


class AgentCalls:
    """Makes calls of an agent, each over a channel of its own. Several threads may call at once."""

    def __init__(
        self,
        transport: Transport,
        home: str = "~/.luthier",
        archive: AgentArchive | None = None,
        patience: Patience | None = None,
        network: NodeNetwork = OWN_NETWORK,
    ) -> None:
        self._transport = transport
        self._home = home
        self._archive = archive
        self._patience = patience or Patience()
        self.network = network
        self._joins = Joins()

    def _call(self, cancelled: threading.Event | None) -> Call:
        archive = self._archive or agent_archive()
        return Call(self._transport, self._home, archive, self._patience, cancelled, self.network)

    def _ask(
        self,
        command: str,
        arguments: Mapping[str, Any],
        on_progress: OnProgress | None,
        cancelled: threading.Event | None,
        on_file: Callable[[Frame], None] | None = None,
    ) -> dict[str, Any]:
        """Run one command and return its result's value."""
        with self._call(cancelled) as call:
            call.begin(command, arguments)
            for frame in call.frames():
                if frame.kind == "progress" and on_progress is not None:
                    on_progress(progress_of(frame))
                elif frame.kind == "file" and on_file is not None:
                    on_file(frame)
                elif frame.kind == "result":
                    value = frame.head.get("value")
                    return value if isinstance(value, dict) else {}
        raise AssertionError("a call's frames end with its result or an error")


class EnvironmentCalls(AgentCalls):
    """The commands that build the trainer's environment from a lock, try what it is for, and place folders."""

    def place_folders(
        self, folders: Mapping[str, str], cancelled: threading.Event | None = None
    ) -> tuple[NodeFolder, ...]:
        """Let folders of the agent lie at these paths of the node, "" in its home; return where all of them lie.

        Names are those of `remote_agent.contract.node_folders.FOLDERS`; one that is not named stays.
        """
        value = self._ask("folders", {"folders": dict(folders)}, None, cancelled)
        return answers_as(NodeFolder, value.get("folders"))

    def collective(
        self,
        ranks: int,
        python: str = "",
        gpus: Sequence[str] = (),
        seconds: int = 5,
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> CollectiveReport:
        """Let so many ranks find each other and sum for some seconds; on the GPUs named, one each, or the CPU."""
        request = {"ranks": ranks, "python": python, "gpus": list(gpus), "seconds": seconds}
        return answer_as(CollectiveReport, self._ask("collective", request, on_progress, cancelled))

    def build_environment(
        self,
        lock: EnvironmentLock,
        sent: str = "",
        on_progress: OnProgress | None = None,
        cancelled: threading.Event | None = None,
    ) -> BuiltEnvironment:
        """Build the environment of a lock on the node, unless it is there.

        ``sent`` is what `send_wheels` returned, empty where the node fetches the files itself. What was fetched is
        kept where the call is cancelled or fails.
        """
        value = self._ask("environment", {"lock": to_wire(lock), "sent": sent}, on_progress, cancelled)
        return answer_as(BuiltEnvironment, value)

    def collect_wheels(
        self, lock: EnvironmentLock, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> Path:
        """Fetch the files of a lock to the agent's machine, which is this one, and return their folder."""
        value = self._ask("environment", {"lock": to_wire(lock), "collect": True}, on_progress, cancelled)
        path = value.get("path")
        if not isinstance(path, str) or not path:
            raise AgentFailed("The agent did not say where it put the files.", "failed")
        return Path(path)

    def send_wheels(
        self, folder: Path, on_progress: OnProgress | None = None, cancelled: threading.Event | None = None
    ) -> str:
        """Send a folder of an environment's files and return its path on the node; they go once it is built."""
        with self._call(cancelled) as call:
            return send_source(call, "wheels", folder, on_progress)
