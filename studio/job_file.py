"""Job files for people: YAML 1.2 with a comment at every field, read back without loss."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.knob import DescribedField, described_fields
from remote_agent.contract.spec_json import SpecError, spec_from_dict, spec_to_dict

_HEADER = "A Luthier job. `luthier check FILE` says what stands against it; fields left out take their defaults."
_COMMENT_COLUMN = 40
_FIELD_PARTS = re.compile(r"[^.\[\]]+")


def job_to_yaml(spec: JobSpec) -> str:
    """Return the job as commented YAML, fields in the order of the spec."""
    fields = {field.path: field for field in described_fields(JobSpec)}
    tree = _commented(spec_to_dict(spec), "", fields)
    tree.yaml_set_start_comment(_HEADER)
    text = io.StringIO()
    _yaml().dump(tree, text)
    return text.getvalue()


def job_from_yaml(text: str, name: str = "job.yaml") -> JobSpec:
    """Parse a job file (YAML; JSON is YAML too). ``name`` is said in front of every mistake.

    Raises:
        SpecError: no YAML, or unknown or wrong fields; each mistake names file, line, field and the nearest field.
    """
    try:
        tree = _yaml().load(text)
        plain = _plain(tree) if tree is not None else {}
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise SpecError([f"{name}:{where} not valid YAML: {error.problem or error.context}."]) from None
    except (YAMLError, ValueError) as error:
        raise SpecError([f"{name}: not valid YAML: {' '.join(str(error).split())}."]) from None
    except RecursionError:
        raise SpecError([f"{name}: nested too deeply to be a job."]) from None
    try:
        return spec_from_dict(plain)
    except SpecError as error:
        raise SpecError([_with_line(mistake, tree, name) for mistake in error.mistakes]) from None


def read_job_file(path: Path) -> JobSpec:
    """Read a job file. Raises SpecError as `job_from_yaml`, also where the file is no UTF-8, and OSError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError([f"{path.name}: not a text file in UTF-8."]) from None
    return job_from_yaml(text, path.name)


def write_job_file(path: Path, spec: JobSpec) -> None:
    """Write a job file; an existing one is replaced in one step, so that a crash leaves the old or the new."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(job_to_yaml(spec), encoding="utf-8", newline="\n")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.version = None
    yaml.width = 4096
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _commented(data: dict[str, Any], prefix: str, fields: dict[str, DescribedField]) -> CommentedMap:
    tree = CommentedMap()
    for name, value in data.items():
        path = prefix + name
        if isinstance(value, dict):
            tree[name] = _commented(value, path + ".", fields)
            continue
        tree[name] = _scalar(value)
        if isinstance(tree[name], CommentedSeq) and tree[name]:
            tree.yaml_set_comment_before_after_key(name, before=_comment(fields[path]), indent=2 * prefix.count("."))
        else:
            tree.yaml_add_eol_comment(_comment(fields[path]), name, column=_COMMENT_COLUMN)
    return tree


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        return CommentedMap({name: _scalar(item) for name, item in value.items()})
    if isinstance(value, list):
        sequence = CommentedSeq([_scalar(item) for item in value])
        if all(isinstance(item, int) for item in value):
            sequence.fa.set_flow_style()  # the rows of a step, which may be thousands, in one line
        return sequence
    return value


def _comment(field: DescribedField) -> str:
    about = field.knob
    unit = f" [{about.unit}]" if about.unit else ""
    first_sentence = about.help.split(". ")[0].rstrip(".")
    choices = f" ({' | '.join(about.choices)})" if about.choices else ""
    return f"{about.label}{unit}: {first_sentence}.{choices}"


def _plain(tree: Any) -> Any:
    """Return ruamel's round-trip types as the types of Python."""
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_plain(item) for item in tree]
    if isinstance(tree, (bool, bytes)) or tree is None:
        return tree
    for kind in (int, float):
        if isinstance(tree, kind):
            return kind(tree)
    text = str(tree)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a text holds half a character (a lone surrogate)")
    return text


def _with_line(mistake: str, tree: Any, name: str) -> str:
    """Return the mistake with file and line of the field path it starts with."""
    line = 0
    for part in _FIELD_PARTS.findall(mistake.partition(":")[0]):
        if isinstance(tree, CommentedMap) and part in tree:
            line = int(tree.lc.key(part)[0]) + 1
            tree = tree[part]
        elif isinstance(tree, CommentedSeq) and part.isdigit() and int(part) < len(tree):
            line = int(tree.lc.item(int(part))[0]) + 1
            tree = tree[int(part)]
        else:
            break
    return f"{name}, line {line}: {mistake}" if line else f"{name}: {mistake}"
