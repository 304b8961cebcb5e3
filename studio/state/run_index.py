"""All runs of the library as a table that is searched and sorted by any setting or result."""

from __future__ import annotations

import copy
import dataclasses
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from remote_agent.contract.throughput import Throughput
from studio.state.library import RunEntry

Value = str | float | int | bool | None

RESULTS: dict[str, Callable[[RunEntry], Value]] = {
    "name": lambda run: run.name or run.run_id,
    "state": lambda run: run.state,
    "step": lambda run: run.step,
    "loss": lambda run: run.loss,
    "best_held_out": lambda run: run.best_held_out,
    "tokens_per_s": lambda run: run.tokens_per_s,
    "seconds": lambda run: max(0.0, run.ended_s - run.created_s) if run.ended_s else math.nan,
    "node": lambda run: run.node,
    "started": lambda run: run.created_s,
    "group": lambda run: run.heading,
    "tags": lambda run: ", ".join(run.tags),
    "note": lambda run: run.remark,
    "id": lambda run: run.run_id,
}
"""What is known of a run beside its settings, by the name that a search uses; `JOB` besides."""

RATES: dict[str, Callable[[Throughput], float]] = {
    "tflops": lambda rate: rate.tflops,
    "mfu": lambda rate: math.nan if rate.mfu is None else rate.mfu,
}
"""What a run's rate of tokens comes to on one GPU: TFLOP/s, and their share of its peak."""

JOB = "job"

_NUMBERS = ("step", "loss", "best_held_out", "tokens_per_s", "seconds", "started")
_TEXTS = tuple(name for name in RESULTS if name not in _NUMBERS)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
_CONDITION = re.compile(r"([A-Za-z_][\w.]*)(<=|>=|!=|=|<|>)(.*)", re.DOTALL)
_WORDS = re.compile(r'(?:[^\s"]|"[^"]*")+')


@dataclasses.dataclass(frozen=True)
class Found:
    """The runs that a search found, by row; ``problem`` says what of it nobody understands, empty where all is well."""

    rows: list[int]
    problem: str = ""


class RunIndex:
    """Runs in rows, newest first, and of each its results and settings.

    Args:
        runs: the runs.
        settings: for each dotted path its value in every run, in the order of ``runs``; empty until they were read.
        jobs: the name of the job that each run was launched from, as `JOB` tells it; empty where nobody knows.
        rate: what a run's tokens a second, of all ranks, come to, by its id; None where nobody knows.

    ``varying`` are the paths of the settings that are not the same in all runs, in the order of the job.
    """

    def __init__(
        self, runs: Sequence[RunEntry], settings: Mapping[str, Sequence[Value]], jobs: Sequence[str] = (),
        rate: Callable[[str, float], Throughput | None] = lambda *_: None,
    ) -> None:  # fmt: skip
        assert all(len(column) == len(runs) for column in settings.values())
        self.runs = runs
        self._settings = settings
        self._rate = rate
        self._jobs: Sequence[Value] = jobs or [""] * len(runs)
        self._columns: dict[str, Sequence[Value]] = {}
        self._places: dict[str, Sequence[int]] = {}
        self._texts: list[str] = []
        self._common = ""
        self.varying = tuple(path for path, column in settings.items() if column.count(column[0]) < len(column))

    def with_runs(self, runs: Sequence[RunEntry]) -> RunIndex | None:
        """Return the index of the same runs as they are now, without reading their settings; None for other runs."""
        if len(runs) != len(self.runs):
            return None
        changed = [row for row, (was, run) in enumerate(zip(self.runs, runs, strict=True)) if was is not run]
        if any(self.runs[row].run_id != runs[row].run_id for row in changed):
            return None
        renewed = copy.copy(self)
        renewed.runs, renewed._columns, renewed._texts = runs, {}, list(self._texts)
        renewed._places = {
            name: places
            for name, places in self._places.items()
            if name not in RESULTS or all(RESULTS[name](self.runs[row]) == RESULTS[name](runs[row]) for row in changed)
        }
        for row in changed if self._texts else ():
            renewed._texts[row] = renewed._text(row)
        return renewed

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of all settings."""
        return tuple(self._settings)

    def column(self, name: str) -> Sequence[Value]:
        """Return a result, or else a setting, of every run. Raises KeyError for another name."""
        if name == JOB:
            return self._jobs
        if name not in RESULTS and name not in RATES:
            return self._settings[name]
        if name not in self._columns:
            self._columns[name] = [self._result(run, name) for run in self.runs]
        return self._columns[name]

    def value(self, row: int, name: str) -> Value:
        """Return a result, or else a setting, of one run, without those of all others. Raises KeyError."""
        is_at_hand = name == JOB or name in self._columns or (name not in RESULTS and name not in RATES)
        return self.column(name)[row] if is_at_hand else self._result(self.runs[row], name)

    def _result(self, run: RunEntry, name: str) -> Value:
        if name in RESULTS:
            return RESULTS[name](run)
        rate = self._rate(run.run_id, run.tokens_per_s)
        return RATES[name](rate) if rate is not None else math.nan

    def find(self, query: str, archived: bool = False) -> Found:
        """Return the rows that have every word and meet every condition of a search.

        A word is looked for in name, id, node, state, group, tags, note and the settings' values. A condition is a
        field, a comparison and a value: ``loss<1.2``, ``optimizer.kind=lion``, ``learning_rate>=1e-5``,
        ``tags=baseline``; the field by its whole path or its end, which may be several. Quotes keep spaces together.

        Args:
            archived: look among the archived runs instead of the others.
        """
        rows = [row for row, run in enumerate(self.runs) if run.archived == archived]
        for word in _WORDS.findall(query):
            condition = _CONDITION.fullmatch(word)
            if condition is None:
                wanted = word.replace('"', "").casefold()
                texts = self._searched()
                if wanted not in self._common:
                    rows = [row for row in rows if wanted in texts[row]]
                continue
            name, sign, value = condition.group(1), condition.group(2), condition.group(3).replace('"', "")
            columns = [self.column(path) for path in self._resolved(name)]
            if not columns:
                return Found([], name)
            meets = _condition(sign, value)
            rows = [row for row in rows if any(meets(column[row]) for column in columns)]
        return Found(rows)

    def ordered(self, rows: Iterable[int], name: str, descending: bool = False) -> list[int]:
        """Return rows by a result or setting; what has none comes last. Raises KeyError for an unknown name."""
        column = self.column(name)
        known: list[int] = []
        unknown: list[int] = []
        for row in rows:
            (unknown if _is_missing(column[row]) else known).append(row)
        if all(isinstance(column[row], int | float) for row in known):
            known.sort(key=lambda row: column[row], reverse=descending)  # type: ignore[arg-type, return-value]
        else:
            places = self._places_of(name)
            known.sort(key=places.__getitem__, reverse=descending)
        return known + unknown

    def _places_of(self, name: str) -> Sequence[int]:
        """Return of each run where its text stands among all texts of a column, found once."""
        if name not in self._places:
            texts = [str(value) for value in self.column(name)]
            place = {text: place for place, text in enumerate(sorted(set(texts), key=_natural))}
            self._places[name] = [place[text] for text in texts]
        return self._places[name]

    def _resolved(self, name: str) -> list[str]:
        """Return what a name means: a result, a setting by its path, or all settings whose paths end so."""
        if name in RESULTS or name in RATES or name == JOB or name in self._settings:
            return [name]
        return [path for path in self._settings if path.endswith("." + name)]

    def prepare(self) -> None:
        """Find now, off the window's thread, what a search and the order of texts need rather than at the first one."""
        self._searched()
        for name in (*_TEXTS, JOB):
            self._places_of(name)
        for name in RATES:
            self.column(name)

    def _searched(self) -> list[str]:
        if not self._texts:
            self._texts = [self._text(row) for row in range(len(self.runs))]
            same = [column[0] for path, column in self._settings.items() if column and path not in self.varying]
            self._common = "\n".join([value for value in same if isinstance(value, str)]).casefold()
        return self._texts

    def _text(self, row: int) -> str:
        """Return everything of a run that a word is looked for in."""
        run = self.runs[row]
        told = [RESULTS[name](run) for name in _TEXTS]
        told += [self._settings[path][row] for path in self.varying if path != "name"]
        return "\n".join([value for value in (*told, self._jobs[row]) if isinstance(value, str)]).casefold()


def _is_missing(value: Value) -> bool:
    return value is None or value == "" or value != value


def _condition(sign: str, wanted: str) -> Callable[[Value], bool]:
    try:
        number = float(wanted)
    except ValueError:
        number = math.nan
    compare = _COMPARISONS[sign]
    text = wanted.casefold()

    def meets(value: Value) -> bool:
        if isinstance(value, bool):
            return (str(value).casefold() == text) == (sign == "=")
        if isinstance(value, int | float):
            return compare(float(value), number)
        if sign in ("=", "!="):
            said = "" if value is None else value.casefold()
            return (text in said if text else not said) == (sign == "=")
        return False

    return meets


def _natural(text: str) -> tuple[tuple[bool, float, str], ...]:
    """Return a key under which run 2 comes before run 10."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return tuple((not part.isdigit(), float(part) if part.isdigit() else 0.0, part) for part in parts)
