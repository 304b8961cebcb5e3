"""Reads OpenSSH's client configuration where no ssh program can be asked: Host, Match, Include, first value wins.

What cannot be judged here stops with a sentence instead of counting as a match: a setting that was meant for another
host must never apply. ``Match exec`` is never run.
"""

from __future__ import annotations

import getpass
import itertools
import os
import re
import shlex
from pathlib import Path

from studio.remote.errors import NeedsPerson
from studio.remote.known_hosts import matches

_DEPTH = 16
_MANY = {"identityfile", "certificatefile"}
_TWO_USERS = {"user", "localuser"}
_SYSTEM = Path("/etc/ssh/ssh_config")

Values = dict[str, list[str]]


def read_config(host: str, user: str, port: int, config_file: Path | None = None) -> Values:
    """Return the settings for a host as ``ssh -G`` names them, only those that are set, and ``aliases``.

    ``user`` and ``port`` are what the command line would say, empty and 0 where it says nothing. ``config_file`` takes
    the place of the user's and the system's configuration.

    Raises NeedsPerson where a Match line cannot be judged without ssh.
    """
    reader = _Reader(host, user, port)
    files = [config_file] if config_file is not None else [Path.home() / ".ssh" / "config", _SYSTEM]
    for file in files:
        reader.read(file, 0, file == _SYSTEM)
    values = reader.values
    values.setdefault("hostname", [host])
    values["hostname"] = [values["hostname"][0].replace("%h", host).replace("%%", "%").lower()]
    values.setdefault("userknownhostsfile", ["~/.ssh/known_hosts ~/.ssh/known_hosts2"])
    values.setdefault("globalknownhostsfile", ["/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"])
    values["aliases"] = list(dict.fromkeys(reader.aliases))
    return values


class _Reader:
    """Collects values over all files; the first one wins, as in OpenSSH."""

    def __init__(self, host: str, user: str, port: int) -> None:
        self.host = host
        self.values: Values = {}
        self.aliases: list[str] = []
        if user:
            self.values["user"] = [user]
        if port:
            self.values["port"] = [str(port)]

    def read(self, file: Path, depth: int, system: bool, active: bool = True) -> None:
        try:
            lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        except OSError:
            return
        if depth > _DEPTH:
            raise NeedsPerson(f"{file} is included more than {_DEPTH} files deep; the ssh configuration is a circle.")
        here = active
        for number, line in enumerate(lines, 1):
            key, words = _words(line, f"{file}:{number}")
            if not key:
                continue
            if key == "host":
                self.aliases += [word for word in words if not re.search(r"[*?!]", word)]
                here = active and matches(words, self.host)
            elif key == "match":
                here = active and self._match(words, f"{file}:{number}")
            elif key == "include":
                for pattern in words:
                    self._include(pattern, depth, system, here)
            elif here and words:
                self._set(key, words)

    def _set(self, key: str, words: list[str]) -> None:
        rival = {"proxyjump": "proxycommand", "proxycommand": "proxyjump"}.get(key, "")
        if rival in self.values:
            return  # whichever comes first
        if key in _MANY:
            self.values.setdefault(key, []).append(words[0])
        else:
            joined = key in ("proxycommand", "userknownhostsfile", "globalknownhostsfile")
            self.values.setdefault(key, [" ".join(words) if joined else words[0]])

    def _include(self, pattern: str, depth: int, system: bool, active: bool) -> None:
        path = Path(pattern).expanduser()
        if not path.is_absolute():
            path = (_SYSTEM.parent if system else Path.home() / ".ssh") / path
        for found in sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))):
            self.read(found, depth + 1, system, active)

    def _match(self, words: list[str], place: str) -> bool:
        if not self.host:
            return False  # only the aliases are wanted
        outcome = True
        rest = iter(words)
        for word in rest:
            negated, criterion = word.startswith("!"), word.removeprefix("!").lower()
            if criterion == "all":
                found = True
            elif criterion in ("canonical", "final"):
                found = False  # there is no second pass here
            elif criterion in ("host", "originalhost", *_TWO_USERS):
                found = matches(next(rest, "").split(","), self._subject(criterion))
            else:
                raise NeedsPerson(
                    f"{place} has Match {criterion}, which only ssh itself can judge, and there is no ssh program on "
                    "this computer. Install OpenSSH, or remove the line."
                )
            outcome = outcome and found != negated
        return outcome

    def _subject(self, criterion: str) -> str:
        if criterion == "host":
            return self.values.get("hostname", [self.host])[0].replace("%h", self.host).lower()
        if criterion == "originalhost":
            return self.host.lower()
        if criterion == "localuser":
            return getpass.getuser()
        return self.values.get("user", [getpass.getuser()])[0]


def _words(line: str, place: str) -> tuple[str, list[str]]:
    """Return a line's keyword in small letters and its values; quotes hold words together, ``#`` begins a comment."""
    line = line.strip()
    if not line or line.startswith("#"):
        return "", []
    found = re.match(r"([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)", line)
    if found is None:
        raise NeedsPerson(f"{place} in the ssh configuration has no value: {line[:80]}")
    key, value = found.group(1).lower(), found.group(2).strip()
    if key == "proxycommand":
        return key, [value]  # the whole rest is the command
    try:
        lexer = shlex.shlex(value, posix=True, punctuation_chars=False)
        lexer.whitespace_split = True
        lexer.commenters = ""
        lexer.escape = "" if os.name == "nt" else "\\"
        return key, list(itertools.takewhile(lambda word: not word.startswith("#"), lexer))
    except ValueError:
        raise NeedsPerson(f"{place} in the ssh configuration has a quote that does not end: {line[:80]}") from None
