"""What can be said without a row or from their number alone: template, tokenizer, length of the run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from remote_agent.contract.batch_arithmetic import batch_plan
from remote_agent.contract.chat_templates import BUILT_IN, PREFIX, resolve_template
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.findings.found import Found, found_once, rows_word
from remote_agent.dataset.findings.row_batch import TRAIN, RowBatch
from remote_agent.dataset.tokenizer_files import ModelTokenizer

MANY_PASSES = 4.0
"""Muennighoff et al., Scaling Data-Constrained Language Models, 2023, arXiv:2305.16264."""

_MARKER = re.compile(
    r"<\|[^|<>\s{}'\"]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>|\[/?[A-Z][A-Z_]{2,30}\]|</?s>"
    r"|<(?:start|end)_of_(?:turn|image|role|text)>|<(?:start|end)_header_id>|<(?:bos|eos|eot|unk|pad)>"
)


class RunCheck:
    """How often the run sees its rows."""

    kinds = frozenset(("unseen_rows", "many_epochs"))

    def __init__(self, job: JobSpec, wanted: Collection[str]) -> None:
        self._job = job
        self._wanted = self.kinds & set(wanted)
        self._rows = self._pieces = self._tokens = 0

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        for row, part in zip(batch.rows, batch.parts, strict=True):
            if part == TRAIN and row.kept:
                self._rows += 1
                self._pieces += len(row.pieces)
                self._tokens += row.kept

    def found(self) -> list[Found]:
        """Return a finding where the run ends before the first pass, or goes on for more than four."""
        data = self._job.data
        sequences = max(1, -(-self._tokens // data.max_length)) if data.packing else self._pieces
        return [one for one in run_findings(self._job, self._rows, sequences) if one.kind in self._wanted]


def run_findings(job: JobSpec, rows: int, sequences: int) -> Iterator[Found]:
    """Yield what is to be said of a run over ``rows`` rows that are trained, in so many sequences a pass."""
    if not rows:
        return
    plan = batch_plan(job, sequences)
    steps = job.batch.max_steps
    passes = steps * plan.global_batch / sequences if steps else job.batch.epochs
    missed = round(rows * (1 - passes))
    if missed > 0:
        detail = (
            f"The run ends after about {100 * passes:.0f} % of a pass over the data, so about {missed:,} of "
            f"{rows_word(rows)} are not trained on"
        )
        yield found_once("unseen_rows", missed, detail)
    elif passes > MANY_PASSES:
        detail = f"Each of {rows_word(rows)} is trained on about {passes:,.1f} times"
        yield found_once("many_epochs", rows, detail, MANY_PASSES)


def job_findings(
    job: JobSpec, model: ModelTokenizer, unused_columns: Sequence[str], own_template: str | None
) -> Iterator[Found]:
    """Yield what job and tokenizer show; ``own_template`` is the model's, empty where it has none, None if unknown."""
    if unused_columns:
        yield found_once("unused_columns", len(unused_columns), ", ".join(map(repr, unused_columns)))
    if model.template is not None and model.template.names_today:
        yield found_once("dated_template", 0)
    if model.template is None and model.eos_token_id < 0:
        yield found_once("no_end_token", 0)
    pad, end = model.special_tokens.get("pad_token"), model.special_tokens.get("eos_token", "")
    if pad and pad == end:
        yield found_once("pad_is_end", 0, end)
    if split := split_markers(model.template_text, model):
        yield found_once("split_markers", len(split), ", ".join(split))
    if job.data.chat_template.strip() and own_template and resolve_template(job.data.chat_template) != own_template:
        yield found_once("foreign_template", 0, f"{_name(job.data.chat_template)} and not the model's own")


def markers_of(template_text: str) -> tuple[str, ...]:
    """Return the markers a template writes, such as <|im_start|> and [INST], each once in their order."""
    # What stands in comments and conditions is written too rarely elsewhere to tell it apart.
    return tuple(dict.fromkeys(_MARKER.findall(template_text)))


def split_markers(template_text: str, model: ModelTokenizer) -> tuple[str, ...]:
    """Return the markers of a template that the tokenizer cuts into several tokens."""
    return tuple(
        marker
        for marker in markers_of(template_text)
        if len(model.tokenizer.encode(marker, add_special_tokens=False).ids) > 1
    )


def fitting_templates(model: ModelTokenizer, with_tools: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    """Return the built-in templates other than the one in use and the markers to add for each; the fewest first."""
    found = [
        (PREFIX + name, split_markers(text, model))
        for name, text in BUILT_IN.items()
        if text != model.template_text and ("tools" in text or not with_tools)
    ]
    return sorted(found, key=lambda one: len(one[1]))


def _name(chat_template: str) -> str:
    return chat_template.removeprefix(PREFIX) if chat_template.startswith(PREFIX) else "the job's own"
