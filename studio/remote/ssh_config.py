"""What the user's OpenSSH configuration says of a host: asked of ``ssh -G`` where there is an ssh, else read by us."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from studio.remote.errors import NeedsPerson
from studio.remote.ssh_config_reader import read_config
from studio.remote.transport import NodeAddress

_RESOLVE_S = 15.0
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_WORD = r"[^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/@-][^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/@]*"
_HOST = re.compile(_WORD + r"\Z")
_USER = re.compile(r"[^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/-][^\s\x00-\x1f\x7f'\"\\$`;|&<>(){}!*?,/]*\Z")
STRICT, ASK, ACCEPT_NEW = "yes", "ask", "accept-new"


@dataclasses.dataclass(frozen=True)
class SshTarget:
    """A host, resolved. ``identity_files`` are the ones a person named; ``default_files`` those tried anyway.

    ``agent`` is the socket of the ssh-agent, "" for the one of the environment, "none" to ask none; ``jumps`` are
    the hosts to go through, nearest first, each as ``[user@]host[:port]``; ``proxy_command`` is the shell command that
    carries the bytes instead of TCP, its tokens filled in. ``strict`` is yes, ask or accept-new.
    """

    host: str
    port: int
    user: str
    identity_files: tuple[Path, ...] = ()
    default_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str = ""
    alias: str = ""
    known_hosts: tuple[Path, ...] = ()
    jumps: tuple[str, ...] = ()
    proxy_command: str = ""
    strict: str = ASK
    connect_s: float = 0.0
    hint: str = ""


def resolve(address: NodeAddress, config_file: Path | None = None) -> SshTarget:
    """Return where and how to connect.

    ``config_file`` takes the place of the user's and the system's configuration. ``ssh -G`` runs the ``Match exec``
    lines of the configuration, so this is only for a host that the user chose.

    Raises:
        NeedsPerson: the host's name is none, or the configuration asks for what is not supported or is wrong.
    """
    check_host(address)
    program = shutil.which("ssh")
    if program is None:
        return _target(address, read_config(address.host, address.user, address.port, config_file), True)
    try:
        answer = subprocess.run(
            [program, "-G", *ssh_options(address, config_file), "--", address.host],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_RESOLVE_S,
        )
    except subprocess.TimeoutExpired:
        raise NeedsPerson(
            f"ssh -G {address.host} did not end within {_RESOLVE_S:.0f} s; look at its Match exec lines."
        ) from None
    if answer.returncode:
        told = answer.stderr.decode("utf-8", "replace").strip()
        raise NeedsPerson(f"The ssh configuration cannot be used for {address.host}: {told[-500:]}")
    values: dict[str, list[str]] = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value.strip())
    return _target(address, values, False)


def check_host(address: NodeAddress) -> None:
    """Raise NeedsPerson where host, user or jumps could be taken for an option or for shell text."""
    if not _HOST.match(address.host):
        raise NeedsPerson(f"{address.host!r} is not the name or address of a machine.")
    if address.user and not _USER.match(address.user):
        raise NeedsPerson(f"{address.user!r} is not the name of a user.")
    for spec in address.jump.split(",") if address.jump else ():
        jump = jump_address(spec)
        if not _HOST.match(jump.host) or (jump.user and not _USER.match(jump.user)):
            raise NeedsPerson(f"{spec!r} is not a host to go through; write user@host:port.")


def ssh_options(address: NodeAddress, config_file: Path | None) -> list[str]:
    """Return a node's own settings as options of ``ssh``; the host itself is not among them."""
    words: list[str] = []
    if config_file is not None:
        words += ["-F", str(config_file)]
    if address.port:
        words += ["-p", str(address.port)]
    if address.user:
        words += ["-l", address.user]
    if address.jump:
        words += ["-J", address.jump]
    return words


def aliases(config_file: Path | None = None) -> tuple[str, ...]:
    """Return the hosts that the configuration names without a wildcard, in its order; files it includes count."""
    return tuple(read_config("", "", 0, config_file).get("aliases", ()))


def _target(address: NodeAddress, values: Mapping[str, list[str]], without_ssh: bool) -> SshTarget:
    def one(key: str, default: str = "") -> str:
        return values.get(key, [default])[0]

    host, user, port = one("hostname", address.host), one("user") or getpass.getuser(), _port(one("port", "22"))
    tokens = {"%%": "%", "%d": str(Path.home()), "%h": host, "%r": user, "%p": str(port), "%u": getpass.getuser()}
    tokens |= {"%n": address.host, "%k": one("hostkeyalias") or address.host, "%i": _user_id()}
    folder = Path.home() / ".ssh"
    named = [_path(value, tokens) for value in values.get("identityfile", []) if value != "none"]
    # ssh -G prints its own list of defaults where the configuration names no file.
    chosen = tuple(path for path in named if path.parent != folder or not _is_default(path.name))
    files = (Path(address.identity_file).expanduser(),) if address.identity_file else chosen
    defaults = () if address.identity_file else tuple(folder / n for n in _DEFAULT_KEYS if folder / n not in chosen)
    known = [*one("userknownhostsfile").split(), *one("globalknownhostsfile").split()]
    hint = ""
    if without_ssh and (folder / "config").exists():
        hint = f" There is no ssh program on this computer, so Luthier read {folder / 'config'} by itself."
    return SshTarget(
        host=host,
        port=port,
        user=user,
        identity_files=files,
        default_files=defaults,
        certificate_files=tuple(_path(value, tokens) for value in values.get("certificatefile", [])),
        identities_only=one("identitiesonly") in ("yes", "true") or bool(address.identity_file),
        agent="" if one("identityagent") in ("", "SSH_AUTH_SOCK") else _agent(one("identityagent"), tokens),
        alias=one("hostkeyalias").lower(),
        known_hosts=tuple(_path(name, tokens) for name in known if name != "none"),
        jumps=() if one("proxyjump", "none") == "none" else tuple(one("proxyjump").split(",")),
        proxy_command=_proxy(address, one("proxycommand"), one("proxyusefdpass"), tokens),
        strict=_strict(one("stricthostkeychecking")),
        connect_s=float(one("connecttimeout")) if one("connecttimeout").isdigit() else 0.0,
        hint=hint,
    )


def _proxy(address: NodeAddress, command: str, hands_over: str, tokens: Mapping[str, str]) -> str:
    if command in ("", "none"):
        return ""
    if hands_over in ("yes", "true"):
        raise NeedsPerson(
            f"The ssh configuration of {address.host} uses ProxyUseFdpass, which only the system's ssh can do. "
            "Choose the system's ssh for this node."
        )
    for name, what in (("%h", "host name"), ("%r", "user")):
        pattern = _HOST if name == "%h" else _USER
        if name in command and not pattern.match(tokens[name]):
            raise NeedsPerson(f"The {what} {tokens[name]!r} cannot be given to the ProxyCommand of {address.host}.")
    return _filled(command, tokens)


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


def _strict(value: str) -> str:
    if value in ("yes", "true"):
        return STRICT
    # "no" would also go on with a changed key; a new one is taken unasked, but a changed one still stops here.
    return ACCEPT_NEW if value in ("accept-new", "no", "off", "false") else ASK


def _port(value: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 < int(value) < 65536:
            return int(value)
    raise NeedsPerson(f"The ssh configuration names the port {value!r}; ports are 1 to 65535.")


def _user_id() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else ""


def _filled(value: str, tokens: Mapping[str, str]) -> str:
    return re.sub(r"%.", lambda found: tokens.get(found.group(), found.group()), value)


def _path(value: str, tokens: Mapping[str, str]) -> Path:
    value = _filled(value.strip('"'), tokens)
    value = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found.group(1), ""), value)
    return Path(value).expanduser()


def _agent(value: str, tokens: Mapping[str, str]) -> str:
    if value == "none":
        return "none"
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), "none")
    return str(_path(value, tokens))
