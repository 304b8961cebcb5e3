"""One import at work: takes keys of the other tool, sets fields of the job, and keeps account of every key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remote_agent.contract.job_spec import JobSpec, value_at, with_value
from remote_agent.contract.problem import WARNING, Fix, Problem
from studio.exchange.imported import Entry, ExchangeError, Given

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_UNSET: tuple[Any, ...] = (None, "", [], {})
AUTO = "auto"


class Reader:
    """The keys of a file, the defaults of its tool, and the job that they become.

    ``names`` gives a tool's own name for a key of TrainingArguments, where it has another. A key that is empty in the
    file counts as left out, as the tools have it.
    """

    def __init__(
        self,
        tool: str,
        tree: Mapping[str, Any],
        defaults: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        given: Given | None = None,
    ) -> None:
        self.tool = tool
        self.given = given or Given()
        self.spec = JobSpec()
        self.mapped: list[Entry] = []
        self.converted: list[Entry] = []
        self.dropped: list[Entry] = []
        self.findings: list[Problem] = []
        self._tree = tree
        self._defaults = dict(defaults)
        self._names = names or {}
        self._read: set[str] = set()
        self._texts: set[str] = set()

    def key(self, name: str) -> str:
        """Return what the tool calls a key of TrainingArguments."""
        return self._names.get(name, name)

    def set_default(self, name: str, value: Any) -> None:
        """Set what the tool takes where the file leaves a key out and that depends on other keys."""
        self._defaults[name] = value

    def has(self, name: str) -> bool:
        """Say whether the file sets a key."""
        return self._tree.get(self.key(name)) not in _UNSET

    def raw(self, name: str) -> Any:
        """Return a key's value, the tool's default where the file leaves it out, else None; it counts as read."""
        key = self.key(name)
        self._read.add(key)
        return self._tree[key] if self.has(name) else self._defaults.get(name)

    def number(self, name: str) -> float | None:
        """Return a number; a text such as "2e-5" is one, "auto" is none. Raises ExchangeError for anything else."""
        value = self.raw(name)
        if value is None or value == AUTO:
            return None
        try:
            found = self._number(value)
        except (TypeError, ValueError):
            raise ExchangeError(f"{self.key(name)}: expected a number, found {value!r}.") from None
        if isinstance(value, str):
            self._texts.add(self.key(name))
        return found

    @staticmethod
    def _number(value: Any) -> float:
        if isinstance(value, bool):
            raise ValueError(value)
        found = float(value)
        if not math.isfinite(found):
            raise ValueError(value)
        return found

    def whole(self, name: str) -> int | None:
        """Return a whole number, None where there is none. Raises ExchangeError."""
        found = self.number(name)
        if found is None:
            return None
        if found != int(found):
            raise ExchangeError(f"{self.key(name)}: expected a whole number, found {self.raw(name)!r}.")
        return int(found)

    def flag(self, name: str) -> bool:
        """Return true or false; left out is false. Raises ExchangeError."""
        value = self.raw(name)
        if isinstance(value, str) and value.lower() in _WORDS:
            return _WORDS[value.lower()]
        if value is None or isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise ExchangeError(f"{self.key(name)}: expected true or false, found {value!r}.")

    def text(self, name: str) -> str:
        """Return a text, empty where left out."""
        value = self.raw(name)
        return "" if value is None else str(value)

    def items(self, name: str) -> list[Any]:
        """Return a list; a single value is one of one, a text with commas one of its parts."""
        value = self.raw(name)
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]

    def put(self, name: str, path: str, value: Any, sentence: str = "") -> None:
        """Set a field from a key; with a sentence the key counts as converted, and it says how."""
        key, kind = self.key(name), type(value_at(JobSpec(), path))
        value = kind(value)
        self.spec = with_value(self.spec, path, value)
        by_default = not self.has(name)
        theirs = self.raw(name)
        if key in self._texts and not sentence:
            sentence = f"PyYAML reads {theirs} as a text; {self.tool} makes it a number."
        about = sentence or "It means the same here."
        if by_default:
            about = f"Not in the file; {self.tool}'s default. {sentence}".strip()
        entry = Entry(key, theirs, path, value, about, by_default)
        (self.converted if sentence else self.mapped).append(entry)

    def put_nested(self, key: str, theirs: Any, path: str, value: Any, sentence: str = "") -> None:
        """Set a field from a key inside an object of the file; ``key`` is dotted."""
        self.spec = with_value(self.spec, path, value)
        entry = Entry(key, theirs, path, value, sentence or "It means the same here.")
        (self.converted if sentence else self.mapped).append(entry)

    def drop_nested(self, key: str, theirs: Any, sentence: str) -> None:
        """Say of a key inside an object of the file why it has no counterpart."""
        self.dropped.append(Entry(key, theirs, "", None, sentence))

    def unread(self) -> dict[str, Any]:
        """Return the keys that nobody read, those that are empty or off left out."""
        return {
            key: value
            for key, value in self._tree.items()
            if key not in self._read and value not in _UNSET and value is not False
        }

    def drop(self, name: str, sentence: str) -> None:
        """Say of a key that the file sets why it has no counterpart."""
        if self.has(name):
            self.dropped.append(Entry(self.key(name), self.raw(name), "", None, sentence))

    def find(self, field: str, sentence: str, fix: Fix | None = None) -> None:
        """Add a finding."""
        self.findings.append(Problem(WARNING, field, sentence, fix))

    def ignore(self, *names: str) -> None:
        """Count keys as read that say nothing beyond what others do."""
        self._read.update(self.key(name) for name in names)

    def drop_rest(self, reasons: Mapping[str, str], silent: Mapping[str, Any]) -> None:
        """Account for every key that nobody read: ``reasons`` by key or by the beginning of one.

        Keys that are off, and those that hold the default in ``silent``, change nothing and are passed over.
        """
        for key, value in self.unread().items():
            if key in silent and silent[key] == value:
                continue
            near = [start for start in reasons if key == start or (start.endswith("_") and key.startswith(start))]
            reason = reasons[max(near, key=len)] if near else "Luthier has no counterpart for it."
            self.dropped.append(Entry(key, value, "", None, reason))
