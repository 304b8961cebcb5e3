"""Reads an ssh command line, as rental sites hand it out, into the fields of a node."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

_WITH_VALUE = "BbcDEeFIiJLlmOopQRSWw"
_CARRIERS = ("docker", "podman", "nerdctl", "kubectl", "oc", "gcloud", "lxc", "incus")
_SHELLS = ("bash", "sh", "zsh", "fish", "ash")


@dataclass(frozen=True)
class SshLine:
    """What a command line says; ``port`` is 0 and the texts are empty where it says nothing.

    ``jump`` names the hosts to go through; ``command`` is a line that is no ssh but reaches a container or a pod.
    """

    host: str
    port: int = 0
    user: str = ""
    identity_file: str = ""
    jump: str = ""
    command: str = ""


def parse_ssh_line(text: str) -> SshLine | None:
    """Return the parts of ``ssh root@1.2.3.4 -p 22022 -i key``, ``user@host:port`` or a bare host name.

    ``docker exec -it box bash`` and its like become the command that carries bytes: without terminal and shell.
    None where the text names no host or gives a port that is none.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if words and words[0].rsplit("/", 1)[-1].removesuffix(".exe") in _CARRIERS:
        return SshLine(host="", command=_without_terminal(words))
    if words and words[0].rsplit("/", 1)[-1] == "ssh":
        words = words[1:]
    elif len(words) != 1:
        return None
    target, options = _split(words)
    if not target:
        return None
    user, host, port = _target(target)
    user = options.get("l", user)
    port = options.get("p", port)
    if not host or (port and not (port.isdigit() and 0 < int(port) < 65536)):
        return None
    jump = "" if options.get("J", "none") == "none" else options["J"]
    return SshLine(host, int(port or 0), user, options.get("i", ""), jump)


def _without_terminal(words: list[str]) -> str:
    """Return a command that starts a shell in a container as one that takes the words to start there."""
    kept = [{"-it": "-i", "-ti": "-i"}.get(word, word) for word in words if word not in ("-t", "--tty")]
    while len(kept) > 2 and (kept[-1].rsplit("/", 1)[-1] in _SHELLS or kept[-1] in ("-l", "--login")):
        kept.pop()
    if kept[0].rsplit("/", 1)[-1] in ("kubectl", "oc") and "--" not in kept:
        kept.append("--")
    return shlex.join(kept)


def _split(words: list[str]) -> tuple[str, dict[str, str]]:
    """Return the target and the options with a value; what follows the target's options is a command and ignored."""
    target = ""
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith("-") and len(word) > 1:
            letter = word[1]
            if letter in _WITH_VALUE:
                value = word[2:] or next(rest, "")
                if letter == "o":
                    letter, value = _option(value)
                options.setdefault(letter, value)
        elif not target:
            target = word
        else:
            break
    return target, options


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.replace(" ", "=", 1).partition("=")
    letters = {"port": "p", "user": "l", "identityfile": "i", "proxyjump": "J"}
    return letters.get(name.strip().lower(), "o"), value.strip()


def _target(text: str) -> tuple[str, str, str]:
    """Return user, host and port of ``[ssh://][user@]host[:port]``; an IPv6 address keeps its colons."""
    text = text.removeprefix("ssh://").rstrip("/")
    user, at, host = text.rpartition("@")
    if not at:
        user, host = "", text
    if host.startswith("["):
        host, _, tail = host[1:].partition("]")
        return user, host, tail.removeprefix(":")
    if host.count(":") == 1:
        host, _, port = host.partition(":")
        return user, host, port
    return user, host, ""
