"""Findings in words, with what can be done about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from remote_agent.contract.data_report import DataFix, Finding
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.findings.found import Found, rows_word
from remote_agent.dataset.findings.job_checks import fitting_templates
from remote_agent.dataset.findings.kinds import KINDS
from remote_agent.dataset.findings.secrets_in_text import EMAIL_PATTERN
from remote_agent.dataset.tokenizer_files import ModelTokenizer

ROWS_SHOWN = 20
PAIRS_SHOWN = 20
_ROUND_TO = 64
_GOOD_PASSES = 3.0

_LONGER_ROWS = {
    "truncate": "cut at the end",
    "drop": "left out",
    "split": "split into several",
}


def described(found: Found, job: JobSpec, model: ModelTokenizer, model_limit: int = 0) -> Finding:
    """Return a finding as the report carries it; ``model_limit`` is the most tokens the model takes, 0 if unknown."""
    kind = KINDS[found.kind]
    sentence = kind.sentence.format(
        rows=rows_word(found.count),
        detail=found.detail,
        length=f"{job.data.max_length:,}",
        what=_LONGER_ROWS[job.data.over_length],
        percent=f"{100 * (found.threshold or 0.0):.0f} %",
    )
    return Finding(
        kind=found.kind,
        severity=kind.severity,
        count=found.count,
        sentence=sentence,
        rows=tuple(found.rows[:ROWS_SHOWN].tolist()),
        title=kind.title,
        why=kind.why,
        fixes=tuple(_fixes(found, job, model, model_limit)),
        pairs=found.pairs[:PAIRS_SHOWN],
        threshold=found.threshold,
    )


def _fixes(found: Found, job: JobSpec, model: ModelTokenizer, model_limit: int) -> Iterator[DataFix]:
    if found.kind in {"over_length", "response_cut"}:
        yield from _longer(found, job, model_limit)
    elif found.kind in {"missing_end_of_turn", "untrained_end_of_turn", "no_end_token", "tools_ignored"}:
        yield from _other_templates(found.kind, job, model)
    elif found.kind in _MAKERS:
        yield from _MAKERS[found.kind](found, job, model)
    if found.kind in _DROPPED:
        yield DataFix(_DROPPED[found.kind], step={"kind": "drop", "finding": found.kind})


def _longer(found: Found, job: JobSpec, model_limit: int) -> Iterator[DataFix]:
    """Offer the smallest lengths that hold 99 % and all of the rows, then what else can become of longer ones."""
    offered = set()
    for held, whole in zip(found.figures, ("99 % of the rows", "every row"), strict=False):
        length = -(-held // _ROUND_TO) * _ROUND_TO
        length = min(length, model_limit) if model_limit else length
        if job.data.max_length < length and length >= held and length not in offered:
            offered.add(length)
            yield DataFix(f"Set the length to {length:,} (holds {whole})", changes={"data.max_length": length})
    for way, label in (("split", "Split longer rows"), ("drop", "Leave longer rows out")):
        if job.data.over_length != way:
            yield DataFix(label, changes={"data.over_length": way})


def _other_templates(kind: str, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    for name, added in fitting_templates(model, with_tools=kind == "tools_ignored")[:2]:
        changes: dict[str, Any] = {"data.chat_template": name}
        if added:
            changes["data.added_tokens"] = _with_tokens(job, added)
        yield DataFix(f"Use the template {name.partition(':')[2]}", changes=changes)


def _with_tokens(job: JobSpec, added: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*job.data.added_tokens, *added)))


def _same_words(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Keep the first of each", step={"kind": "deduplicate", "threshold": 1.0})


def _like_words(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Keep the first of each", step={"kind": "deduplicate", "threshold": found.threshold})


def _leaks(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    # In a file of its own the held-out row is not the first of its like, so deduplicating is no remedy there.
    if not job.data.held_out_path:
        label = "Keep the first of each" if found.threshold is None else "Keep the first of those alike"
        yield DataFix(label, step={"kind": "deduplicate", "threshold": found.threshold or 1.0})


def _encoding(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Turn them back", step={"kind": "normalise", "encoding": True})


def _controls(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Take them out", step={"kind": "normalise", "controls": True})


def _emails(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    step = {"kind": "replace", "role": "any", "find": EMAIL_PATTERN, "put": "user@example.com", "regex": True}
    yield DataFix("Put user@example.com there", step=step)


def _balance(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Take fewer of the large", step={"kind": "balance", "method": "down", "ratio": 1.0})
    yield DataFix("Repeat the small", step={"kind": "balance", "method": "up", "ratio": 1.0})


def _doubled_start(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    start = model.special_tokens.get("bos_token", "")
    step = {"kind": "replace", "role": "any", "find": start, "put": "", "regex": False}
    yield DataFix(f"Take {start} out of the turns", step=step)


def _all_answers(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    if job.data.train_on == "last":
        yield DataFix("Train on every answer", changes={"data.train_on": "assistant"})


def _one_pass(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Train one whole pass", changes={"batch.epochs": 1.0, "batch.max_steps": 0})


def _fewer_passes(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Train three passes", changes={"batch.epochs": _GOOD_PASSES, "batch.max_steps": 0})


def _single_tokens(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    added = tuple(found.detail.split(", "))
    yield DataFix("Make them single tokens", changes={"data.added_tokens": _with_tokens(job, added)})


def _own_template(found: Found, job: JobSpec, model: ModelTokenizer) -> Iterator[DataFix]:
    yield DataFix("Use the model's own", changes={"data.chat_template": ""})


_MAKERS: Mapping[str, Callable[[Found, JobSpec, ModelTokenizer], Iterator[DataFix]]] = {
    "duplicate": _same_words,
    "near_duplicate": _like_words,
    "leakage": _leaks,
    "near_leakage": _leaks,
    "wrong_encoding": _encoding,
    "control_characters": _controls,
    "email": _emails,
    "class_imbalance": _balance,
    "double_bos": _doubled_start,
    "last_turn_only": _all_answers,
    "unseen_rows": _one_pass,
    "many_epochs": _fewer_passes,
    "split_markers": _single_tokens,
    "foreign_template": _own_template,
}
_DROPPED = {
    "bad_row": "Leave them out",
    "nothing_trained": "Leave them out",
    "empty_response": "Leave them out",
    "role_order": "Leave them out",
    "conflicting_answers": "Leave all of them out",
    "leakage": "Leave them out of the held-out part",
    "near_leakage": "Leave them out of the held-out part",
    "wrong_encoding": "Leave them out",
    "lost_characters": "Leave them out",
    "other_language": "Leave them out",
    "refusal": "Leave them out",
    "secret": "Leave them out",
    "email": "Leave them out",
    "outlier_length": "Leave them out",
    "double_bos": "Leave them out",
    "tools_ignored": "Leave them out",
}
"""Kinds whose rows can be left out, with what the button says."""
