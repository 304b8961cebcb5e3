"""What helps to add a node: names of the ssh configuration, a new key, a test of the way there, questions on it."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject

from studio import places
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import NeedsPerson, RemoteError
from studio.remote.reach import ssh_config_file
from studio.remote.ssh_config import aliases
from studio.remote.transport import NodeAddress
from studio.session.asking import Asking
from studio.session.reach import Reach

OnStep = Callable[[str, RemoteError | None], None]


class NodeSetup(QObject):
    """The verbs of the form that adds a node. ``asking`` carries what a person is asked while a node is reached."""

    def __init__(self, reach: Reach, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reach, self._tasks = reach, tasks
        self.asking = Asking(reach.asker, self)

    def aliases(self) -> tuple[str, ...]:
        """Return the hosts that the user's ssh configuration names; none where it cannot be read."""
        try:
            return aliases(ssh_config_file())
        except NeedsPerson:
            return ()

    def make_key(self, node: str) -> tuple[str, str]:
        """Make a key for a node and return its file and its public half, one line for ~/.ssh/authorized_keys.

        One that was made before is used again. Raises ValueError with a sentence.
        """
        from studio.remote.ssh.keys import make_key  # brings paramiko along

        name = re.sub(r"[^A-Za-z0-9._-]+", "-", node).strip("-.")[:64] or "node"
        file = places.config_dir() / "keys" / f"{name}_ed25519"
        public = file.with_name(file.name + ".pub")
        try:
            if file.exists() and public.exists():
                return str(file), public.read_text(encoding="utf-8").strip()
            return str(file), make_key(file, f"{getpass.getuser()}@{socket.gethostname()} luthier {name}")
        except OSError as error:
            raise ValueError(f"The key {file} cannot be written: {error.strerror}.") from None

    def test(
        self, address: NodeAddress, on_step: OnStep, on_done: Callable[[bool], None], owner: QObject
    ) -> TaskHandle:
        """Try the way to a node in the background; each step comes as a sentence, the last perhaps with its error."""
        from studio.remote.walk import Step, walk

        def work(task: Task) -> bool:
            return walk(address, self._reach.known_hosts, self._reach.asker, task.report)

        def told(step: Step) -> None:
            on_step(step.sentence, step.error)

        return self._tasks.run(owner, work, on_done, lambda error: on_step(str(error), None), told)
