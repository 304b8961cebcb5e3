"""Rows through tokenizer and findings pass, as the tests of single checks need them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.findings import FindingsPass, Found
from remote_agent.dataset.readers import Row
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

JOB = JobSpec(data=DataSpec(max_length=256))


def tiny(folder: Path, template: str = CHATML_TEMPLATE) -> ModelTokenizer:
    """Return the tiny tokenizer with a chat template, none where that is empty."""
    return load_tokenizer(tiny_tokenizer_files(folder, template))


def chat(*contents: str, label: str = "") -> Conversation:
    """Return turns of user and assistant in turns."""
    roles = ("user", "assistant")
    return Conversation(tuple(Turn(roles[at % 2], content) for at, content in enumerate(contents)), label=label)


def roles(*names: str) -> Conversation:
    """Return a conversation of these roles that each say something else."""
    return Conversation(tuple(Turn(name, f"says number {at}") for at, name in enumerate(names)))


def encoded(
    conversations: Sequence[Conversation | None], model: ModelTokenizer, job: JobSpec = JOB
) -> list[EncodedRow]:
    """Return rows as the encoder makes them; None stands for a row that cannot be read."""
    examples = [
        Example(Row(at, "some.jsonl", at + 1, {}), one, "" if one else f"some.jsonl line {at + 1}: no JSON")
        for at, one in enumerate(conversations)
    ]
    return [row for batch in RowEncoder(model, job.data).encode(examples, strict=False) for row in batch]


def look(
    conversations: Sequence[Conversation | None],
    model: ModelTokenizer,
    job: JobSpec = JOB,
    kinds: Collection[str] | None = None,
    held_out: Collection[int] = (),
) -> dict[str, Found]:
    """Return the findings of a pass in batches of three rows, by kind."""
    rows = encoded(conversations, model, job)
    findings = FindingsPass(job, model, kinds)
    for start in range(0, len(rows), 3):
        batch = rows[start : start + 3]
        findings.take(batch, ["held_out" if row.row.index in held_out else "train" for row in batch])
    return {one.kind: one for one in findings.finish()}


def rows_of(found: dict[str, Found]) -> dict[str, list[int]]:
    """Return the rows of each finding."""
    return {kind: one.rows.tolist() for kind, one in found.items()}
