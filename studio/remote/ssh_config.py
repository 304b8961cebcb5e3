"""What the user's OpenSSH configuration says of a host, resolved by ``ssh -G`` itself wherever there is an ssh."""

from __future__ import annotations

import dataclasses
import getpass
import os
import re
import shutil
import subprocess
from pathlib import Path

from studio.remote.errors import NeedsPerson
from studio.remote.transport import NodeAddress

_RESOLVE_S = 15.0
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_HOST = re.compile(r"[^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/@-][^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/@]*\Z")


@dataclasses.dataclass(frozen=True)
class SshTarget:
    """A host, resolved. ``identity_files`` are the ones a person named; ``default_files`` those tried anyway.

    ``agent`` is the socket of the ssh-agent, "" for the one of the environment, "none" to ask none; ``jumps`` are
    the hosts to go through, nearest first, each as ``[user@]host[:port]``.
    """

    host: str
    port: int
    user: str
    identity_files: tuple[Path, ...] = ()
    default_files: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str = ""
    alias: str = ""
    known_hosts: tuple[Path, ...] = ()
    jumps: tuple[str, ...] = ()
    hint: str = ""


def resolve(address: NodeAddress, config_file: Path | None = None) -> SshTarget:
    """Return where and how to connect.

    ``config_file`` takes the place of the user's and the system's configuration. ``ssh -G`` runs the ``Match exec``
    lines of the configuration, so this is only for a host that the user chose.

    Raises:
        NeedsPerson: the host's name is none, or the configuration asks for what is not supported or is wrong.
    """
    if not _HOST.match(address.host):
        raise NeedsPerson(f"{address.host!r} is not the name or address of a machine.")
    program = shutil.which("ssh")
    if program is None:
        return _without_ssh(address)
    words = [program, "-G"]
    if config_file is not None:
        words += ["-F", str(config_file)]
    if address.port:
        words += ["-p", str(address.port)]
    if address.user:
        words += ["-l", address.user]
    try:
        answer = subprocess.run(
            [*words, "--", address.host], capture_output=True, stdin=subprocess.DEVNULL, timeout=_RESOLVE_S
        )
    except subprocess.TimeoutExpired:
        raise NeedsPerson(
            f"ssh -G {address.host} did not end within {_RESOLVE_S:.0f} s; look at its Match exec lines."
        ) from None
    if answer.returncode:
        told = answer.stderr.decode("utf-8", "replace").strip()
        raise NeedsPerson(f"The ssh configuration cannot be used for {address.host}: {told[-500:]}")
    return _target(address, answer.stdout.decode("utf-8", "replace"))


def _target(address: NodeAddress, answer: str) -> SshTarget:
    values: dict[str, list[str]] = {}
    for line in answer.splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value.strip())

    def one(key: str, default: str = "") -> str:
        return values.get(key, [default])[0]

    if one("proxycommand", "none") != "none":
        raise NeedsPerson(
            f"The ssh configuration reaches {address.host} through a ProxyCommand, which Luthier does not run. "
            "Use ProxyJump there, which it does."
        )
    defaults = tuple(Path.home() / ".ssh" / name for name in _DEFAULT_KEYS)
    named = [_path(value, one("hostname"), one("user"), one("port")) for value in values.get("identityfile", [])]
    # ssh -G prints its own list of defaults where the configuration names no file.
    chosen = tuple(path for path in named if path.parent != Path.home() / ".ssh" or not _is_default(path.name))
    files = (Path(address.identity_file).expanduser(),) if address.identity_file else chosen
    known = [*one("userknownhostsfile").split(), *one("globalknownhostsfile").split()]
    return SshTarget(
        host=one("hostname", address.host),
        port=int(one("port", "22")),
        user=one("user"),
        identity_files=files,
        default_files=() if address.identity_file else tuple(path for path in defaults if path not in chosen),
        identities_only=one("identitiesonly") == "yes" or bool(address.identity_file),
        agent="" if one("identityagent") in ("", "SSH_AUTH_SOCK") else _agent(one("identityagent")),
        alias=one("hostkeyalias"),
        known_hosts=tuple(Path(name).expanduser() for name in known if name != "none"),
        jumps=() if one("proxyjump", "none") == "none" else tuple(one("proxyjump").split(",")),
    )


def _without_ssh(address: NodeAddress) -> SshTarget:
    folder = Path.home() / ".ssh"
    hint = ""
    if (folder / "config").exists():
        hint = f" There is no ssh program on this computer, so {folder / 'config'} was not read."
    return SshTarget(
        host=address.host,
        port=address.port or 22,
        user=address.user or getpass.getuser(),
        identity_files=(Path(address.identity_file).expanduser(),) if address.identity_file else (),
        default_files=() if address.identity_file else tuple(folder / name for name in _DEFAULT_KEYS),
        identities_only=bool(address.identity_file),
        known_hosts=(folder / "known_hosts",),
        hint=hint,
    )


def jump_address(spec: str) -> NodeAddress:
    """Return the address of one ProxyJump entry, ``[user@]host[:port]`` or ``ssh://...``."""
    user, _, place = spec.strip().removeprefix("ssh://").rpartition("@")
    bracketed = re.fullmatch(r"\[([^]]+)\](?::(\d+))?", place)
    plain = re.fullmatch(r"([^:]+):(\d+)", place)
    if bracketed:
        host, port = bracketed.group(1), int(bracketed.group(2) or 0)
    elif plain:
        host, port = plain.group(1), int(plain.group(2))
    else:
        host, port = place, 0
    return NodeAddress(name=host, kind="ssh", host=host, port=port, user=user)


def _is_default(name: str) -> bool:
    return name in {*_DEFAULT_KEYS, "id_ecdsa_sk", "id_ed25519_sk", "id_xmss", "id_dsa"}


def _path(value: str, host: str, user: str, port: str) -> Path:
    tokens = {"%%": "%", "%d": str(Path.home()), "%h": host, "%r": user, "%p": port, "%u": getpass.getuser()}
    value = re.sub(r"%.", lambda found: tokens.get(found.group(), found.group()), value.strip('"'))
    value = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found.group(1), ""), value)
    return Path(value).expanduser()


def _agent(value: str) -> str:
    if value == "none":
        return "none"
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), "none")
    return str(Path(value.strip('"')).expanduser())
