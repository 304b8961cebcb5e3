"""Ids and masks are those that transformers makes of the same conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remote_agent.contract.job_spec import DataSpec
from remote_agent.dataset.conversation import Example, example
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import MASKED, EncodedRow, RowEncoder
from remote_agent.dataset.readers import Row
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, GENERATION_TEMPLATE, tiny_tokenizer_files

LONG = DataSpec(max_length=10_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def message_rows(conversations: list[list[dict[str, str]]]) -> list[Row]:
    return [Row(index, "rows.jsonl", index + 1, {"messages": turns}) for index, turns in enumerate(conversations)]


def examples(rows: list[Row], shape: str = "messages") -> list[Example]:
    return [example(row, shape) for row in rows]


def encode(
    folder: Path, rows: list[Row], spec: DataSpec = LONG, shape: str = "messages", **how: Any
) -> list[EncodedRow]:
    encoder = RowEncoder(load_tokenizer(folder, spec.chat_template), spec)
    return [
        row
        for batch in encoder.encode(
            (example(row, shape, spec.system_prompt) for row in rows), **{"strict": True, **how}
        )
        for row in batch
    ]


_TEXT = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ("", " ", "The cat likes a warm song.", "\n", "👩‍👩‍👧 naïve", "<|im_end|>", "<|im_start|>assistant\n", "assistant")
)
_CONVERSATIONS = st.lists(
    st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(("user", "assistant", "system")), "content": _TEXT}),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversations=_CONVERSATIONS)
def test_that_ids_and_masks_equal_those_of_transformers(
    folder: Path, theirs: Any, conversations: list[list[dict[str, str]]]
) -> None:
    rows = message_rows(conversations)
    marked = encode(folder, rows, DataSpec(max_length=10_000, chat_template=GENERATION_TEMPLATE))
    by_prefixes = encode(folder, rows)
    for turns, by_marker, by_prefix in zip(conversations, marked, by_prefixes, strict=True):
        expected = theirs.apply_chat_template(
            turns,
            chat_template=GENERATION_TEMPLATE,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        plain = theirs.apply_chat_template(turns, chat_template=CHATML_TEMPLATE, tokenize=True, return_dict=True)
        mask = np.array(expected["assistant_masks"], dtype=bool)
        for ours, ids in ((by_marker, expected["input_ids"]), (by_prefix, plain["input_ids"])):
            assert ours.ids.tolist() == ids
            assert ours.ids.dtype == ours.labels.dtype == np.int32
            assert ((ours.labels != MASKED) == mask).all()
            assert (ours.labels[mask] == ours.ids[mask]).all()


def test_that_trained_tokens_are_the_response_and_its_end(folder: Path) -> None:
    row = Row(0, "a.json", 1, {"prompt": "What does the cat do?", "completion": "The cat likes a warm song."})
    (encoded,) = encode(folder, [row], shape="prompt_completion")
    tokenizer = load_tokenizer(folder).tokenizer
    kept = encoded.ids[encoded.labels != MASKED].tolist()
    assert tokenizer.decode(kept, skip_special_tokens=False) == "The cat likes a warm song.<|im_end|>"
    assert encoded.kept == len(encoded.ids)
    assert encoded.supervised == len(kept)


def test_that_a_first_token_is_never_a_target(tmp_path: Path) -> None:
    plain = tiny_tokenizer_files(tmp_path, chat_template="")
    (encoded,) = encode(
        plain, [Row(0, "a.json", 1, {"prompt": "", "completion": "The cat"})], shape="prompt_completion"
    )
    assert encoded.labels[0] == MASKED
    assert (encoded.labels[1:] == encoded.ids[1:]).all()


def test_that_a_long_row_is_cut_or_dropped(folder: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "The river hears a song. " * 20}]
    whole = encode(folder, message_rows([turns]))[0]
    prompt = int(np.argmax(whole.labels != MASKED))
    cut = encode(folder, message_rows([turns]), DataSpec(max_length=prompt + 5))[0]
    assert (cut.kept, cut.supervised) == (prompt + 5, 5)
    assert (cut.ids == whole.ids).all()
    assert encode(folder, message_rows([turns]), DataSpec(max_length=prompt + 5, over_length="drop"))[0].kept == 0
    # Nothing of the response is left within the length, so nothing could be learnt.
    assert encode(folder, message_rows([turns]), DataSpec(max_length=prompt))[0].kept == 0


def test_that_a_row_that_cannot_be_used_raises_or_carries_its_problem(folder: Path) -> None:
    rows = message_rows([[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]])
    rows.append(Row(1, "rows.jsonl", 2, {"messages": None}))
    rows.append(Row(2, "rows.jsonl", 3, rows[0].fields))
    with pytest.raises(DataError, match="line 2"):
        encode(folder, rows)
    lenient = encode(folder, rows, strict=False)
    assert [(row.row.index, bool(row.problem), row.kept > 0) for row in lenient] == [
        (0, False, True), (1, True, False), (2, False, True),
    ]  # fmt: skip
    spec = DataSpec(chat_template="{{ raise_exception('not today') }}")
    with pytest.raises(
        DataError, match=r"rows\.jsonl line 1 \(row 1\): the chat template refuses the row \(not today\)"
    ):
        encode(folder, rows[:1], spec)


def test_that_batches_are_bounded_and_in_order(folder: Path) -> None:
    model = load_tokenizer(folder)
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    batches = list(RowEncoder(model, LONG).encode(examples(message_rows([turns] * 1100)), strict=True))
    assert [len(batch) for batch in batches] == [512, 512, 76]
    assert [row.row.index for batch in batches for row in batch] == list(range(1100))
    with pytest.raises(CancelledError):
        list(RowEncoder(model, LONG).encode(examples(message_rows([turns])), strict=True, cancelled=lambda: True))


def test_that_a_large_row_ends_its_batch(folder: Path) -> None:
    huge = [{"role": "user", "content": "a" * (1 << 20)}, {"role": "assistant", "content": "b"}]
    small = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    encoder = RowEncoder(load_tokenizer(folder), LONG)
    assert [len(batch) for batch in encoder.encode(examples(message_rows([small, huge, small])), strict=True)] == [2, 1]
