"""Rows compared with one another: equal ones, like ones, leaks, classes and lengths."""

from __future__ import annotations

import random

import pytest

from remote_agent.contract.data_report import RowPair
from remote_agent.contract.job_spec import with_value
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.findings.set_checks import AlikeChecks
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import JOB, chat, look, rows_of

NUMBERS = random.Random(7)
WORDS = [f"word{number}" for number in range(500)]
STORY = " ".join(NUMBERS.choices(WORDS, k=30))
NEARLY = STORY + " indeed"
OTHER = " ".join(NUMBERS.choices(WORDS, k=30))
ALIKE = AlikeChecks.kinds


def test_that_repeated_rows_are_found_with_the_first_of_them(model: ModelTokenizer) -> None:
    rows = [chat("a", "b"), chat("c", "d"), chat("a", "b"), chat("a", "b "), chat("a", "b"), chat("c", "d")]
    found = look(rows, model, kinds={"duplicate"})
    assert rows_of(found) == {"duplicate": [2, 4, 5]}
    assert found["duplicate"].pairs == (RowPair(2, 0, 1.0), RowPair(4, 0, 1.0), RowPair(5, 1, 1.0))


def test_that_rows_left_out_of_training_repeat_nothing(model: ModelTokenizer) -> None:
    assert look([chat("a"), chat("a")], model, kinds=ALIKE) == {}


def test_that_nearly_equal_rows_are_found_but_for_those_that_are_equal(model: ModelTokenizer) -> None:
    rows = [chat("Tell.", STORY), chat("Tell.", OTHER), chat("Tell!", NEARLY), chat("Tell.", STORY)]
    found = look(rows, model, kinds={"duplicate", "near_duplicate"})
    assert rows_of(found) == {"duplicate": [3], "near_duplicate": [2]}
    assert found["near_duplicate"].threshold == 0.8
    (pair,) = found["near_duplicate"].pairs
    # 30 two-word shingles of 31 words, and one more in the longer row.
    assert (pair.row, pair.other) == (2, 0)
    assert pair.likeness == pytest.approx(30 / 31, abs=1e-4)


def test_that_a_system_prompt_that_all_rows_share_makes_them_no_more_alike(model: ModelTokenizer) -> None:
    system = Turn("system", "You answer briefly, kindly and without many words. " * 5)
    rows = [Conversation((system, *chat("What is it?", text).turns)) for text in ("A cat.", "A dog that barks.")]
    assert look(rows, model, kinds={"near_duplicate"}) == {}


def test_that_one_prompt_with_different_answers_is_found(model: ModelTokenizer) -> None:
    rows = [chat("a", "yes"), chat("b", "yes"), chat("a", "no"), chat("a", "yes"), chat("c", "x", "a", "no")]
    found = look(rows, model, kinds={"conflicting_answers"})
    assert rows_of(found) == {"conflicting_answers": [0, 2, 3]}
    assert found["conflicting_answers"].pairs == (RowPair(2, 0, 0.0),)
    assert look([chat("a", "b"), chat("a", "b"), chat("c", "b")], model, kinds={"conflicting_answers"}) == {}


def test_that_a_chat_whose_middle_differs_has_another_prompt(model: ModelTokenizer) -> None:
    rows = [chat("Hi", "Hello", "Who?", "I"), chat("Hi", "Good day", "Who?", "You")]
    assert look(rows, model, kinds={"conflicting_answers"}) == {}


@pytest.mark.parametrize("with_file", [False, True])
def test_that_held_out_rows_that_are_trained_on_are_found(model: ModelTokenizer, with_file: bool) -> None:
    job = with_value(JOB, "data.held_out_path", "held.jsonl" if with_file else "")
    rows = [
        chat("a", STORY), chat("b", OTHER), chat("c", "d"),
        chat("a", STORY), chat("B", OTHER + " so"), chat("e", "f"),
    ]  # fmt: skip
    found = look(rows, model, job, kinds=ALIKE, held_out=(3, 4, 5))
    expected = {"leakage": [3], "near_leakage": [4]}
    if not with_file:
        expected |= {"duplicate": [3], "near_duplicate": [4]}
    assert rows_of(found) == expected
    assert [(pair.row, pair.other) for pair in found["leakage"].pairs] == [(3, 0)]
    assert [(pair.row, pair.other) for pair in found["near_leakage"].pairs] == [(4, 1)]


def test_that_a_held_out_row_before_its_copy_leaks_too(model: ModelTokenizer) -> None:
    rows = [chat("a", STORY), chat("b", OTHER + " so"), chat("a", STORY), chat("b", OTHER)]
    found = look(rows, model, kinds={"leakage", "near_leakage"}, held_out=(0, 1))
    assert rows_of(found) == {"leakage": [0], "near_leakage": [1]}
    assert [(pair.row, pair.other) for one in found.values() for pair in one.pairs] == [(0, 2), (1, 3)]


def test_that_a_row_like_the_copy_of_a_trained_one_leaks(model: ModelTokenizer) -> None:
    rows = [chat("a", STORY), chat("a", STORY), chat("a", NEARLY)]
    found = look(rows, model, kinds={"leakage", "near_leakage"}, held_out=(0, 2))
    assert rows_of(found) == {"leakage": [0], "near_leakage": [2]}


def test_that_each_trained_row_that_a_held_out_one_is_like_is_known_and_never_a_copy_that_is_held_out_too(
    model: ModelTokenizer,
) -> None:
    held_out_copy, trained_copy = chat("a", STORY), chat("a", STORY)
    rows = [held_out_copy, trained_copy, chat("a", STORY + " so"), chat("a", NEARLY), chat("a", NEARLY), chat("b", "c")]
    found = look(rows, model, kinds={"leakage", "near_leakage"}, held_out=(0, 3, 4, 5))
    assert rows_of(found) == {"leakage": [0], "near_leakage": [3, 4]}
    near = found["near_leakage"]
    assert near.likes.tolist() == [[3, 1], [3, 2], [4, 1], [4, 2]]
    assert [(pair.row, pair.other) for pair in near.pairs] == [(3, 1), (4, 1)], "the likest of each"


def test_that_equal_rows_of_one_part_do_not_leak(model: ModelTokenizer) -> None:
    rows = [chat("a", STORY), chat("a", STORY), chat("b", OTHER), chat("b", OTHER)]
    assert look(rows, model, kinds={"leakage", "near_leakage"}, held_out=(2, 3)) == {}


def test_that_uneven_classes_are_said_with_their_ratio(model: ModelTokenizer) -> None:
    rows = [chat(f"text {at}", label, label=label) for at, label in enumerate(["good"] * 12 + ["bad"] * 3)]
    found = look(rows, model, kinds={"class_imbalance"})["class_imbalance"]
    assert found.detail == "The class 'good' has 4.0 times the rows of 'bad' (12 against 3, 2 classes)"
    assert look(rows[4:], model, kinds={"class_imbalance"}) == {}
    assert look(rows, model, kinds={"class_imbalance"}, held_out=range(8)) == {}
    assert look(rows[:12], model, kinds={"class_imbalance"}) == {}
    assert look([chat("a", "b")] * 5, model, kinds={"class_imbalance"}) == {}


def test_that_rows_of_unusual_length_are_found(model: ModelTokenizer) -> None:
    lengths = [int(NUMBERS.lognormvariate(3.5, 0.5)) + 1 for _ in range(400)]
    lengths[17], lengths[200] = 6000, 5000
    found = look([chat("Go.", "a " * length) for length in lengths], model, kinds={"outlier_length"})
    assert rows_of(found) == {"outlier_length": [17, 200]}
    assert found["outlier_length"].detail.startswith("2 over ")


@pytest.mark.parametrize("spread", [0.0, 0.2, 0.8])
def test_that_usual_spreads_of_length_have_no_outlier(model: ModelTokenizer, spread: float) -> None:
    lengths = [int(NUMBERS.lognormvariate(3.0, spread)) + 1 for _ in range(500)]
    assert look([chat("Go.", "a " * length) for length in lengths], model, kinds={"outlier_length"}) == {}
