"""An OpenSSH server of our own on loopback: own host key, own user key, a free port, nothing of the system's changed.

The demo runs the whole studio against it, and the tests use it as their node. It needs sshd and ssh-keygen.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

_START_S = 10.0
_TRIES = 5


class SshdMissingError(RuntimeError):
    """There is no OpenSSH server program on this computer."""


class PrivateSshd:
    """A running sshd that lets the current user in with one key, as a context manager.

    ``folder`` takes keys, configuration and log. ``noise`` is what every login prints on standard output before the
    command runs, as talkative rc files do; ``home`` is the home folder that logins see, the user's own by default;
    ``options`` are further lines of sshd_config, which come first and so win; ``environment`` is what the server
    finds besides ours.
    """

    def __init__(
        self,
        folder: Path,
        noise: bytes = b"",
        home: Path | None = None,
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.user = getpass.getuser()
        self.host = "127.0.0.1"
        self.port = 0
        self.identity_file = self.folder / "user_key"
        self._noise = noise
        self._home = home
        self._options = tuple(options)
        self._environment = {**os.environ, **(environment or {})}
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrivateSshd:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """Return what the server logged."""
        file = self.folder / "sshd.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def known_hosts_line(self) -> str:
        """Return the line that makes this server known, with its newline."""
        kind, key = (self.folder / "host_key.pub").read_text(encoding="ascii").split()[:2]
        return f"[{self.host}]:{self.port} {kind} {key}\n"

    @property
    def fingerprint(self) -> str:
        """Return the host key's fingerprint as ssh-keygen tells it."""
        return self._run("ssh-keygen", "-l", "-f", str(self.folder / "host_key.pub")).split()[1]

    def start(self) -> None:
        """Start the server and return once it answers. Raises SshdMissingError, RuntimeError with the log's end."""
        program = _program("sshd")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("host_key", "user_key"):
            self._make_key(name)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for _ in range(_TRIES):
            self.port = self.port or _free_port()
            self._write_config()
            # The path of the configuration has to be absolute: sshd runs itself again for every connection.
            self._server = subprocess.Popen(
                [program, "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.folder / "sshd.log")],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=self._environment,
            )
            if self._answers():
                return
            self.stop()
            self.port = 0
        raise RuntimeError(f"sshd did not start: {self.log[-1000:]}")

    def stop(self) -> None:
        """End the server and its sessions."""
        if self._server is None:
            return
        self.kill_sessions()
        self._server.kill()
        self._server.wait()
        self._server = None

    def restart(self) -> None:
        """Stop and start again on the same port."""
        self.stop()
        self.start()

    def renew_host_key(self) -> None:
        """Replace the host key; the next connection sees the new one."""
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink()
        self.restart()

    def sessions(self) -> list[int]:
        """Return the process ids of the server's side of every connection."""
        return [] if self._server is None else [pid for pid in _descendants(self._server.pid) if _name(pid) == "sshd"]

    def kill_sessions(self) -> None:
        """End every connection with SIGKILL, as a crash would; the server stays."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pause(self) -> None:
        """Stop server and connections in place: they stay open and say nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        for pid in (self._server.pid, *self.sessions()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _make_key(self, name: str) -> None:
        if not (self.folder / name).exists():
            self._run(
                "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"luthier {name}", "-f", str(self.folder / name)
            )
            if name == "user_key":
                shutil.copyfile(self.folder / "user_key.pub", self.folder / "authorized_keys")

    def _write_config(self) -> None:
        lines = [
            *self._options,
            f"Port {self.port}",
            f"ListenAddress {self.host}",
            f"HostKey {self.folder / 'host_key'}",
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}",
            f"PidFile {self.folder / 'sshd.pid'}",
            "PubkeyAuthentication yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            # the folder may lie below one that others can write, such as /tmp
            "StrictModes no",
            "UsePAM no",
            "PrintMotd no",
            "Subsystem sftp internal-sftp",
        ]
        if not any(option.startswith("MaxStartups") for option in self._options):
            lines.append("MaxStartups 100")  # the last such line wins, unlike all others
        if self._noise or self._home is not None:
            lines.append(f"ForceCommand {self._login_script()}")
        config = self.folder / "sshd_config"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _login_script(self) -> Path:
        """Write what a login runs: the noise, then the command that the client asked for, by the user's shell."""
        (self.folder / "noise").write_bytes(self._noise)
        script = self.folder / "login.sh"
        home = f"export HOME='{self._home}'; cd '{self._home}'\n" if self._home is not None else ""
        script.write_text(
            f"#!/bin/sh\n{home}cat '{self.folder / 'noise'}'\n"
            'case "$SSH_ORIGINAL_COMMAND" in internal-sftp) exec /usr/lib/openssh/sftp-server ;; esac\n'
            'exec "${SHELL:-/bin/sh}" -c "$SSH_ORIGINAL_COMMAND"\n',
            encoding="utf-8",
        )
        script.chmod(0o700)
        return script

    def _answers(self) -> bool:
        assert self._server is not None
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1.0) as probe:
                return probe.recv(4) == b"SSH-"
            time.sleep(0.02)
        return False

    def _run(self, *words: str) -> str:
        return subprocess.run([_program(words[0]), *words[1:]], check=True, capture_output=True, text=True).stdout


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
    if found is None:
        raise SshdMissingError(f"There is no {name} on this computer; on Debian: apt-get install openssh-server.")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
                children.setdefault(int(after_name.split()[1]), []).append(int(folder.name))
    found: list[int] = []
    rest = [pid]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    return ""
