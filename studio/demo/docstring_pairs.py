"""Question and answer pairs from the docstrings of the running Python's standard library."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SKIPPED = frozenset({"test", "tests", "idlelib", "lib2to3", "site-packages", "ensurepip", "__pycache__", "turtledemo"})
_SHORTEST, _LONGEST = 24, 600
_QUESTIONS = {
    "module": "What is the Python module `{name}` for?",
    "class": "What is `{name}` in Python?",
    "function": "What does `{name}` do in Python?",
}


class Pair(NamedTuple):
    """One row: a question about a name of the standard library and the first paragraph of its docstring."""

    question: str
    answer: str


def docstring_pairs(library: Path | None = None) -> list[Pair]:
    """Return the pairs of a standard library's source files, sorted, each question once.

    The files are parsed, never imported, so nothing of them runs.

    Args:
        library: the folder to read; None for the running Python's.
    """
    folder = library or Path(sysconfig.get_paths()["stdlib"])
    found: dict[str, Pair] = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if _SKIPPED.isdisjoint(parts) and all(part.isidentifier() for part in parts):
            for pair in _pairs_of(path, [part for part in parts if part != "__init__"]):
                found.setdefault(pair.question, pair)
    return [found[question] for question in sorted(found)]


def write_pairs(pairs: list[Pair], path: Path) -> None:
    """Write the pairs as alpaca rows, one JSON object a line."""
    lines = (json.dumps({"instruction": pair.question, "input": "", "output": pair.answer}) for pair in pairs)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _pairs_of(path: Path, module: list[str]) -> Iterator[Pair]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return  # a few files of the library are broken on purpose, as input for its own tests
    yield from _pair("module", ".".join(module), ast.get_docstring(tree))
    yield from _inside(tree, module)


def _inside(node: ast.Module | ast.ClassDef, outer: list[str]) -> Iterator[Pair]:
    for child in node.body:
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
            continue
        names = [*outer, child.name]
        kind = "class" if isinstance(child, ast.ClassDef) else "function"
        yield from _pair(kind, ".".join(names), ast.get_docstring(child))
        if isinstance(child, ast.ClassDef):
            yield from _inside(child, names)


def _pair(kind: str, name: str, docstring: str | None) -> Iterator[Pair]:
    if not name or not docstring or any(part.startswith("_") for part in name.split(".")):
        return
    paragraph = inspect.cleandoc(docstring).split("\n\n")[0]
    answer = re.sub(r"\s+", " ", paragraph).strip()
    if _SHORTEST <= len(answer) <= _LONGEST and answer.isprintable():
        yield Pair(_QUESTIONS[kind].format(name=name), answer)
