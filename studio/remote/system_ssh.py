"""A node through the system's own ssh, for what the built-in one cannot do: Kerberos, keys on tokens, old servers.

One master connection (ControlMaster) of ours carries the channels, each of which is a small ssh that talks to it. ssh
runs without a terminal (BatchMode), so whatever would need a person fails with a sentence. Where there are no control
sockets, as on Windows, every channel is a connection of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from studio.remote import bootstrap
from studio.remote.channel import COMPLAINT_BYTES, Channel
from studio.remote.errors import (
    AuthenticationFailed,
    HostKeyChanged,
    HostKeyUnknown,
    LinkError,
    NeedsPerson,
    RemoteError,
)
from studio.remote.process_channel import Line, OpenChannels, PipeChannel, SocketChannel, end_child, start_child
from studio.remote.ssh_config import STRICT, check_host, resolve, ssh_options
from studio.remote.transport import NodeAddress

CONNECT_S = 60.0
_LOST = 255  # what ssh exits with where the connection failed or ended
_ALIVE = ("ServerAliveInterval=5", "ServerAliveCountMax=3", "ConnectTimeout=10", "BatchMode=yes")
_QUIET = ("ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", "LogLevel=INFO")


class SystemSshTransport:
    """A node over the ssh program. Several threads may open channels; a dead master is replaced at the next `open`."""

    def __init__(self, address: NodeAddress, known_hosts: Path, config_file: Path | None = None) -> None:
        self._address = address
        self._known_hosts = known_hosts
        self._config_file = config_file
        self._lock = threading.Lock()
        self._master: _Master | None = None
        self._channels = OpenChannels()

    def open(self) -> Channel:
        """Return a channel that runs the bootstrap, connecting first where needed. Raises RemoteError."""
        with self._lock:
            words = [*self._words(), "-T"]
            line = Line(who=f"The ssh to {self.describe()}", whole_group=True, lost_code=_LOST)
            if os.name != "nt":
                master = self._living_master()
                words += ["-S", master.socket, "-o", "ControlMaster=no"]
                line = dataclasses.replace(line, heard=master.hear, quiet_s=master.quiet_s, cut=master.end)
            words += ["--", self._address.host, bootstrap.COMMAND]
            channel = (PipeChannel if os.name == "nt" else SocketChannel)(words, line)
            self._channels.add(channel)
            return channel

    def close(self) -> None:
        """End the master, and with it all channels."""
        with self._lock:
            master, self._master = self._master, None
        self._channels.close()
        if master is not None:
            master.end()

    def describe(self) -> str:
        """Return the node's name."""
        return self._address.name or self._address.host

    def _words(self) -> list[str]:
        check_host(self._address)
        program = shutil.which("ssh")
        if program is None:
            raise NeedsPerson(
                f"{self.describe()} is to be reached through the system's ssh, and there is no ssh program on this "
                "computer. Install OpenSSH, or choose the built-in SSH for this node."
            )
        target = resolve(self._address, self._config_file)
        words = [program, *ssh_options(self._address, self._config_file)]
        if self._address.identity_file:
            words += ["-i", str(Path(self._address.identity_file).expanduser()), "-o", "IdentitiesOnly=yes"]
        # ssh itself writes no key down: whoever is unknown is asked about by us, and kept in our own file
        files = " ".join(f'"{file}"' for file in (*target.known_hosts, self._known_hosts))
        settings = (*_ALIVE, *_QUIET, "StrictHostKeyChecking=yes", "UpdateHostKeys=no", f"UserKnownHostsFile={files}")
        return words + [word for setting in settings for word in ("-o", setting)]

    def _living_master(self) -> _Master:
        if self._master is not None and self._master.alive:
            return self._master
        if self._master is not None:
            self._master.end()
        self._master = None
        master = _Master(self._words(), self._address.host)
        said = master.wait()
        if said is not None:
            raise self._failure(said)
        self._master = master
        return master

    def _failure(self, said: str) -> RemoteError:
        shown = " ".join(said.split())[-500:] or "it said nothing"
        if "Host key verification failed" in said or "host key is known" in said:
            return self._host_key_failure(shown)
        if "Permission denied" in said or "Too many authentication failures" in said:
            return AuthenticationFailed(
                f"{self.describe()} does not let you in: {shown}. Whatever ssh would ask for (a passphrase, a "
                "password, a code) has to be in the ssh-agent or a Kerberos ticket before; log in once in a terminal "
                "to see."
            )
        if "Bad owner or permissions" in said or "Bad configuration option" in said or "no argument after" in said:
            return NeedsPerson(f"ssh cannot use its configuration for {self.describe()}: {shown}")
        return LinkError(f"ssh does not reach {self.describe()}: {shown}")

    def _host_key_failure(self, shown: str) -> RemoteError:
        """Look at the key ourselves, so that a person is asked as for every other node."""
        from studio.remote.ssh import SshTransport

        target = resolve(self._address, self._config_file)
        if target.strict != STRICT and not target.jumps:
            try:
                SshTransport(self._address, self._known_hosts, self._config_file).look()
            except (HostKeyUnknown, HostKeyChanged) as question:
                return question
            except RemoteError:
                pass
        return NeedsPerson(
            f"ssh does not trust the host key of {self.describe()}: {shown}. Connect once in a terminal and judge the "
            "key there."
        )


class _Master:
    """The connection that carries the channels, as a child of ours; its socket lies in a folder that only we enter."""

    def __init__(self, words: list[str], host: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="luthier-ssh-"))  # 0700; a socket's path has to be short
        self.socket = str(self._folder / "m")
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._heard_s = time.monotonic()
        self._ended = False
        command = [*words, "-M", "-N", "-T", "-S", self.socket, "-o", "ControlPersist=no", "--", host]
        try:
            self._child = start_child(command, subprocess.DEVNULL, subprocess.DEVNULL, self._said)
        except OSError as error:
            self._clear()
            raise NeedsPerson(f"{command[0]} cannot be started on this computer: {error.strerror}.") from None

    @property
    def alive(self) -> bool:
        return not self._ended and self._child.poll() is None

    def wait(self) -> str | None:
        """Return None once channels can be opened, else what ssh said when it failed; it is then ended."""
        until = time.monotonic() + CONNECT_S
        while time.monotonic() < until:
            if os.path.exists(self.socket):  # noqa: PTH110 - it is text everywhere else
                return None
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(0.05)
                break
        return self._last_words()

    def hear(self) -> None:
        """Note that something arrived over it."""
        self._heard_s = time.monotonic()

    def quiet_s(self) -> float:
        """Return for how long no channel heard anything."""
        return time.monotonic() - self._heard_s

    def end(self) -> None:
        """End it at once."""
        if self._ended:
            return
        self._ended = True
        end_child(self._child, whole_group=True)
        self._clear()

    def _last_words(self) -> str:
        late = self._child.poll() is None
        size = os.fstat(self._said.fileno()).st_size
        self._said.seek(max(0, size - COMPLAINT_BYTES))
        said = self._said.read().decode("utf-8", "replace")
        self.end()
        return f"{said} no answer within {CONNECT_S:.0f} s" if late else said

    def _clear(self) -> None:
        self._said.close()
        shutil.rmtree(self._folder, ignore_errors=True)
