"""Ids and masks are those that transformers makes of the same conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.encoding import MASKED, EncodedRow, RowEncoder
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes import row_shape
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.real_model import real_inputs
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


def examples(rows: list[Row], spec: DataSpec = LONG) -> list[Example]:
    return list(map(row_shape(rows, SourceSpec(), spec).example, rows))


def encode(folder: Path, rows: list[Row], spec: DataSpec = LONG, **how: Any) -> list[EncodedRow]:
    return encode_examples(folder, examples(rows, spec), spec, **how)


def encode_examples(folder: Path, them: list[Example], spec: DataSpec = LONG, **how: Any) -> list[EncodedRow]:
    encoder = RowEncoder(load_tokenizer(folder, spec.chat_template), spec)
    return [row for batch in encoder.encode(them, **{"strict": True, **how}) for row in batch]


def talk(*turns: Turn) -> list[Example]:
    return [Example(Row(0, "rows.jsonl", 1, {}), Conversation(turns))]


def trained(folder: Path, row: EncodedRow) -> list[str]:
    """Return the texts of the trained tokens, a run at a time."""
    places = np.flatnonzero(row.labels != MASKED)
    if not len(places):
        return []
    runs = np.split(row.ids[places], np.flatnonzero(np.diff(places) > 1) + 1)
    tokenizer = load_tokenizer(folder).tokenizer
    return [tokenizer.decode(run.tolist(), skip_special_tokens=False) for run in runs]


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
    (encoded,) = encode(folder, [row])
    tokenizer = load_tokenizer(folder).tokenizer
    kept = encoded.ids[encoded.labels != MASKED].tolist()
    assert tokenizer.decode(kept, skip_special_tokens=False) == "The cat likes a warm song.<|im_end|>"
    assert encoded.kept == len(encoded.ids)
    assert encoded.supervised == len(kept)


def test_that_a_first_token_is_never_a_target(tmp_path: Path) -> None:
    plain = tiny_tokenizer_files(tmp_path, chat_template="")
    (encoded,) = encode(plain, [Row(0, "a.json", 1, {"prompt": "", "completion": "The cat"})])
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
    assert cut.pieces == ((0, prompt + 5),)
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


def test_that_a_long_row_is_split_into_documents_without_a_token_lost(folder: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "The river hears a song. " * 20}]
    whole = encode(folder, message_rows([turns]))[0]
    split = encode(folder, message_rows([turns]), DataSpec(max_length=32, over_length="split"))[0]
    starts = range(0, len(whole.ids), 32)
    assert (split.ids == whole.ids).all()
    assert split.pieces == tuple(
        (start, min(start + 32, len(whole.ids)))
        for start in starts
        if (whole.labels[start + 1 : start + 32] >= 0).any()
    )
    assert split.pieces[0][0] == 32, "the prompt fills the first window, so nothing in it is trained"
    assert (split.labels[::32] == MASKED).all()
    rest = np.arange(len(whole.ids)) % 32 != 0
    assert (split.labels[rest] == whole.labels[rest]).all()
    assert split.kept == sum(end - start for start, end in split.pieces)
    assert split.supervised == int((split.labels[32:] != MASKED).sum())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(8, 60), answers=st.lists(_TEXT, min_size=1, max_size=4))
def test_that_every_piece_of_a_split_row_trains_something_and_none_that_would_is_missing(
    folder: Path, length: int, answers: list[str]
) -> None:
    turns = [turn for answer in answers for turn in (Turn("user", "Tell me"), Turn("assistant", answer))]
    split = encode_examples(folder, talk(*turns), DataSpec(max_length=length, over_length="split"))[0]
    for start in range(0, len(split.ids), length):
        end = min(start + length, len(split.ids))
        assert ((start, end) in split.pieces) == bool((split.labels[start:end] != MASKED).any())


def test_that_plain_text_trains_every_token_and_its_end(folder: Path) -> None:
    rows = [Row(0, "a.jsonl", 1, {"text": "The cat likes a warm song."})]
    (encoded,) = encode(folder, rows)
    assert encoded.text == "The cat likes a warm song.<|im_end|>"
    assert encoded.labels[0] == MASKED and (encoded.labels[1:] == encoded.ids[1:]).all()
    assert encode(folder, rows, DataSpec(train_on="last"))[0].supervised == encoded.supervised


@pytest.mark.parametrize("template", [CHATML_TEMPLATE, GENERATION_TEMPLATE, ""])
def test_that_the_job_and_the_turns_say_what_is_trained(tmp_path: Path, template: str) -> None:
    folder = tiny_tokenizer_files(tmp_path, chat_template=template)
    turns = (
        Turn("system", "Be kind"), Turn("user", "One"), Turn("assistant", "First"), Turn("assistant", "More"),
        Turn("user", "Two"), Turn("assistant", "Last"),
    )  # fmt: skip
    first, more, last = "First<|im_end|>", "More<|im_end|>", "Last<|im_end|>"

    def texts(train_on: str, weights: dict[int, float]) -> list[str]:
        weighted = [turn._replace(weight=weights.get(number)) for number, turn in enumerate(turns)]
        return trained(folder, encode_examples(folder, talk(*weighted), DataSpec(train_on=train_on))[0])

    assert texts("assistant", {}) == [first, more, last]
    assert texts("last", {}) == [last]
    assert texts("assistant", {3: 0.0}) == [first, last]
    assert texts("last", {3: 1.0}) == [more, last]
    assert texts("last", {5: 0.0}) == []
    everything = texts("all", {})
    assert len(everything) == 1 and "One" in everything[0] and everything[0].count("<|im_end|>") >= 3
    without = texts("all", {1: 0.0, 3: 0.0})
    assert len(without) == 3 and not any("One" in text or more in text for text in without)


@pytest.mark.parametrize("template", [CHATML_TEMPLATE, GENERATION_TEMPLATE])
def test_that_a_fraction_weighs_the_tokens_of_its_turn(tmp_path: Path, template: str) -> None:
    folder = tiny_tokenizer_files(tmp_path, chat_template=template)
    turns = (Turn("user", "a"), Turn("assistant", "First", weight=0.25), Turn("user", "b"), Turn("assistant", "Last"))
    encoded = encode_examples(folder, talk(*turns))[0]
    assert encoded.weights is not None and encoded.weights.dtype == np.float32
    assert len(encoded.weights) == len(encoded.ids)
    tokenizer = load_tokenizer(folder).tokenizer
    light = (encoded.weights == 0.25) & (encoded.labels != MASKED)
    assert tokenizer.decode(encoded.ids[light].tolist(), skip_special_tokens=False) == "First<|im_end|>"
    assert set(encoded.weights[~light].tolist()) == {1.0}
    assert encode_examples(folder, talk(*(turn._replace(weight=None) for turn in turns)))[0].weights is None
    everything = encode_examples(folder, talk(*turns), DataSpec(train_on="all"))[0]
    assert everything.weights is not None
    assert (everything.weights == encoded.weights).all() and (everything.labels[1:] != MASKED).all()


def test_that_half_an_emoji_is_a_problem_of_its_row_alone(folder: Path) -> None:
    broken = talk(Turn("user", "cut \ud83d"), Turn("assistant", "b"))
    good = talk(Turn("user", "whole 👩‍👩‍👧"), Turn("assistant", "العربية"))
    found = encode_examples(folder, [*broken, *good], strict=False)
    assert "line 1 (row 1): the text holds half of a character" in found[0].problem
    assert found[0].pieces == () and found[1].pieces != ()
    assert trained(folder, found[1]) == ["العربية<|im_end|>"]


@pytest.mark.parametrize("over_length", ["truncate", "split"])
def test_that_a_cut_in_the_middle_of_a_character_stays_tokens(folder: Path, over_length: str) -> None:
    answer = "👩‍👩‍👧" * 40
    for length in range(70, 90):
        spec = DataSpec(max_length=length, over_length=over_length)
        (found,) = encode_examples(folder, talk(Turn("user", "a"), Turn("assistant", answer)), spec, offsets=True)
        assert all(end - start <= length for start, end in found.pieces) and found.supervised > 0
        assert len(found.offsets) == len(found.ids)


def test_that_a_span_that_ends_in_a_character_of_many_tokens_trains_all_of_them() -> None:
    inputs = real_inputs()
    # This template's marker ends before the end of turn, so that the emoji's last token is the span's last.
    template = (
        "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{% if turn.role == 'assistant' %}{% generation %}"
        "{{ turn.content }}{% endgeneration %}{% else %}{{ turn.content }}{% endif %}<|im_end|>\n{% endfor %}"
    )
    encoder = RowEncoder(load_tokenizer(inputs.model, template), LONG)
    answers = ("🧿", "Here it is: 🧿", "🧿🧿", "two words", "naïve é")
    rows = [example for answer in answers for example in talk(Turn("user", "a"), Turn("assistant", answer))]
    found = [row for batch in encoder.encode(rows, strict=True) for row in batch]
    assert [trained(inputs.model, row) for row in found] == [[answer] for answer in answers]
