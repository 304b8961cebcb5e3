"""Brings the translations up to date: collects every text of the window into the .ts, compiles the .ts to the .qm.

Qt's lupdate reads ``self.tr`` and ``QCoreApplication.translate`` from Python by itself. What it cannot see is written
into a file of such calls for it: texts that go through a function of ours; the labels, helps and units of the job spec,
which are data; and the sentences of code that knows no Qt, which the window looks up again. ``make translations`` runs
this; a text without a finished translation fails a test.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = "vi"

OF_QT = {
    "QLineEdit": ("&Undo", "&Redo", "Cu&t", "&Copy", "&Paste", "Delete", "Select All"),
    "QWidgetTextControl": ("&Undo", "&Redo", "Cu&t", "&Copy", "Copy &Link Location", "&Paste", "Delete", "Select All"),
    "QPlatformTheme": ("OK", "Cancel", "&Yes", "&No", "Close", "Save", "Open"),
}
"""What Qt itself puts on the screen here, by its context; Qt ships no Vietnamese."""

SENTENCES_OF = (
    "remote_agent/contract/problem.py",
    "remote_agent/contract/problems.py",
    "remote_agent/contract/data_problems.py",
    "remote_agent/contract/step_problems.py",
    "remote_agent/contract/schedule_problems.py",
    "remote_agent/contract/schedule.py",
    "remote_agent/contract/usual_ranges.py",
    "remote_agent/contract/combinations.py",
    "remote_agent/contract/parameter_groups.py",
    "remote_agent/contract/regularization_problems.py",
    "remote_agent/contract/alerts.py",
    "remote_agent/contract/hardware_alerts.py",
    "remote_agent/contract/preflight.py",
    "remote_agent/contract/amendments.py",
    "remote_agent/contract/reshaping.py",
    "remote_agent/contract/throughput.py",
    "remote_agent/dataset/findings",
    "remote_agent/dataset/shapes",
    "studio/session",
    "studio/state/draft.py",
)
"""Where the sentences come from that `studio.ui.translation.told` translates; a node's own words stay English."""

COMPOSED = (
    "{0} row", "{0} rows", "{0} that cannot be used. The first: {1}", "Held-out file: {0}", "left out",
    "cut at the end", "Saving weights", "Saving the full state", "Evaluating", "Send the model",
    "Check the model's files", "Fetch the model from the Hub", "{0} sequences from {1} rows, {2} held out",
    "The job cannot start yet. {0}", "This computer", "split into several", "Split longer rows",
    "Leave longer rows out", "99 % of the rows", "every row", "Leave them out", "Leave all of them out",
    "Leave them out of the held-out part", "Keep the first of those alike", "at step {0} of {1}", "before it trained",
)  # fmt: skip
"""Texts of them that are put together, so that no rule finds them."""

NAMED = ("Fix", "LaunchStep", "DataFix", "Kind")
"""Classes whose texts are labels; other texts of these files count where they are whole sentences."""

Text = tuple[str, str]
"""A context and a text of it."""


def main(argv: list[str]) -> int:
    """Update and compile the translations in a folder; the exit code is that of the tool that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, default=ROOT / "resources" / "translations")
    folder: Path = parser.parse_args(argv).folder.absolute()
    source = folder / f"luthier_{LANGUAGE}.ts"
    with tempfile.TemporaryDirectory() as aside:
        unseen = Path(aside) / "unseen.py"
        unseen.write_text(calls(unseen_texts()), encoding="utf-8")
        files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "studio").rglob("*.py"))]
        options = ["-locations", "none", "-no-obsolete", "-source-language", "en", "-target-language", LANGUAGE]
        code = run("pyside6-lupdate", *files, str(unseen), "-ts", str(source), *options)
    return code or run("pyside6-lrelease", str(source), "-qm", str(source.with_suffix(".qm")))


def run(tool: str, *arguments: str) -> int:
    """Run a tool of PySide6 that lies beside this interpreter, in the checkout's folder."""
    found = Path(sys.executable).parent / tool
    return subprocess.run([str(found), *arguments], cwd=ROOT, check=False).returncode


def calls(texts: list[Text]) -> str:
    """Return Python that calls `translate` once for each text."""
    quoted = (tuple(json.dumps(part, ensure_ascii=False) for part in text) for text in texts)
    return "".join(f"QCoreApplication.translate({context}, {text})\n" for context, text in quoted)


def unseen_texts() -> list[Text]:
    """Return the texts that lupdate cannot see, each once."""
    found = [*passed_on_texts(), *field_texts(), *preset_texts(), *(("sentences", text) for text in sentences())]
    found += [(context, text) for context, texts in OF_QT.items() for text in texts]
    return list(dict.fromkeys(found))


def field_texts() -> Iterator[Text]:
    """Yield label, help and unit of every field of the job spec."""
    sys.path.insert(0, str(ROOT))
    from remote_agent.contract.data_spec import SourceSpec
    from remote_agent.contract.data_steps import STEP_CLASSES
    from remote_agent.contract.job_spec import JobSpec
    from remote_agent.contract.knob import described_fields

    for field in (one for spec in (JobSpec, SourceSpec, *STEP_CLASSES.values()) for one in described_fields(spec)):
        for text in (field.knob.label, field.knob.help, field.knob.unit):
            if text:
                yield "JobSpec", text


def preset_texts() -> Iterator[Text]:
    """Yield name and description of every preset."""
    sys.path.insert(0, str(ROOT))
    from studio.presets import load_presets

    for preset in load_presets(ROOT / "resources" / "presets"):
        yield "presets", preset.name
        yield "presets", preset.about


def passed_on_texts() -> Iterator[Text]:
    """Yield the texts given to a function that hands its argument to `QCoreApplication.translate`."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "studio").rglob("*.py"))}
    everywhere = contexts_of(trees[ROOT / "studio" / "ui" / "words.py"])
    for tree in trees.values():
        contexts = everywhere | contexts_of(tree)
        for node in ast.walk(tree):
            match node:
                case ast.Call(ast.Name(name) | ast.Attribute(ast.Name("words"), name), [ast.Constant(str(text))]):
                    if name in contexts:
                        yield contexts[name], text


def contexts_of(tree: ast.Module) -> dict[str, str]:
    """Return the functions of a module that do nothing but translate their argument, and the context they ask for."""
    found = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            match function.body[-1]:
                case ast.Return(
                    ast.Call(ast.Attribute(attr="translate"), [ast.Constant(str(context)), ast.Name(name)])
                ):
                    if [argument.arg for argument in function.args.args] == [name]:
                        found[function.name] = context
    return found


def sentences() -> Iterator[str]:
    """Yield the sentences and labels of code without Qt, their values as {0}, {1} in order"""
    yield from COMPOSED
    for place in SENTENCES_OF:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            tree = ast.parse(file.read_text("utf-8"))
            described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            labels = set(labels_of(tree))
            for node in ast.walk(tree):
                if id(node) not in described | parts:
                    text = template_of(node)
                    if re.search("[A-Za-z]", text) and (id(node) in labels or re.fullmatch(r"[A-Z{].* .*\.", text)):
                        yield text


def labels_of(tree: ast.Module) -> Iterator[int]:
    """Yield the identities of the texts that are given to the classes in NAMED."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMED:
            for place, argument in enumerate(node.args):
                # behind the label, what is put together names fields
                if not isinstance(argument, ast.Tuple) and not (place and isinstance(argument, ast.Call)):
                    yield from (id(part) for part in ast.walk(argument))


def template_of(node: ast.AST) -> str:
    """Return a text with its values as {0}, {1} in order; nothing for what is no text."""
    match node:
        case ast.Constant(str(text)):
            parts = [(before, field is not None) for before, field, _, _ in string.Formatter().parse(text)]
        case ast.JoinedStr(values):
            parts = [(str(part.value), False) if isinstance(part, ast.Constant) else ("", True) for part in values]
        case _:
            return ""
    made, number = "", 0
    for before, is_followed in parts:
        made += before
        if is_followed:
            made, number = f"{made}{{{number}}}", number + 1
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
