"""Rows in other words: what is made is kept, what is no good is rejected with its reason, and its origin is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.dataset.augmented import AugmentedFile
from remote_agent.dataset.augmenting import Maker, Wish, chosen_rows, make_rows, maker_key, rejection
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.data_error import CancelledError
from remote_agent.dataset.made_texts import MadeTexts
from remote_agent.dataset.readers import Row

STEP = AugmentStep(model="/models/paraphraser", same_language=False)


def examples(prompts: Iterable[str]) -> list[Example]:
    return [
        Example(
            Row(index, "rows.jsonl", index + 1, {}),
            Conversation((Turn("system", "Be kind."), Turn("user", text), Turn("assistant", "Yes."))),
        )
        for index, text in enumerate(prompts)
    ]


class Shouting:
    """A maker that notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: list[str]) -> list[str]:
        self.asked += texts
        return [f"{text} indeed" for text in texts]


def make(folder: Path, rows: list[Example], maker: Maker, step: AugmentStep = STEP, **how: object) -> Path:
    target = folder / "made" / "rows.jsonl"
    wish = Wish(3, step, maker_key(step, ("abc",)))
    make_rows([wish], lambda _: rows, lambda _: maker, folder / "texts", target, **how)  # type: ignore[arg-type]
    return target


def test_that_only_the_chosen_turns_are_said_anew_and_the_row_says_where_it_came_from(tmp_path: Path) -> None:
    (row,) = AugmentedFile(make(tmp_path, examples(["Is the sky blue?"]), Shouting())).rows()
    assert [(turn.role, turn.content) for turn in row.conversation.turns] == [
        ("system", "Be kind."), ("user", "Is the sky blue? indeed"), ("assistant", "Yes."),
    ]  # fmt: skip
    assert (row.step, row.of_row, row.origin) == (3, 0, "Paraphrase of row 1")


def test_that_nothing_is_made_twice_even_by_another_job_and_the_result_is_the_same(tmp_path: Path) -> None:
    maker = Shouting()
    first = make(tmp_path, examples(["One?", "Two?", "One?"]), maker).read_bytes()
    assert maker.asked == ["One?", "Two?"]
    again = make(tmp_path, examples(["One?", "Two?", "One?"]), maker).read_bytes()
    make(tmp_path, examples(["Two?", "Three?"]), maker)
    assert again == first and maker.asked == ["One?", "Two?", "Three?"]


def test_that_what_was_made_before_a_cancel_is_kept_and_no_half_file_is_left(tmp_path: Path) -> None:
    maker = Shouting()
    rows = examples([f"Question {number}?" for number in range(40)])
    with pytest.raises(CancelledError):
        make(tmp_path, rows, maker, cancelled=lambda: len(maker.asked) >= 16)
    assert list((tmp_path / "made").iterdir()) == []
    assert len(AugmentedFile(make(tmp_path, rows, maker))) == 40
    assert len(maker.asked) == len(set(maker.asked)) == 40


def test_that_a_torn_line_of_the_kept_texts_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    with MadeTexts(path) as texts:
        texts.add("a", "x\ny")
        texts.add("b 😀", "z")
    path.write_bytes(path.read_bytes()[:-3])
    with MadeTexts(path) as texts:
        assert texts["a"] == "x\ny" and "b 😀" not in texts
        texts.add("b 😀", "z")
        assert texts["b 😀"] == "z" and texts["a"] == "x\ny"


def test_that_each_reason_to_reject_is_told() -> None:
    long = "Where does the river that passes our village come from?"
    french = "D'où vient la rivière qui passe à côté de notre village ?"
    strict = AugmentStep()
    assert rejection(long, " where DOES the river that passes our village come  from?", strict) == "identical"
    assert rejection(long, "  ", strict) == "empty"
    assert rejection(long, "Where from?", strict) == "too short"
    assert rejection(long, long * 3, strict) == "too long"
    assert rejection(long, french, strict) == "another language"
    assert rejection(long, french, AugmentStep(same_language=False)) == ""
    assert rejection(long, "From where does the river come that passes our village?", strict) == ""


def test_that_rejected_rows_are_counted_by_their_reason(tmp_path: Path) -> None:
    wish = Wish(0, STEP, "k")
    rows = examples(["same", "Please say this", ""])
    answers = {"same": "same", "Please say this": "Say this, please"}
    made = make_rows([wish], lambda _: rows, lambda _: lambda texts: [answers[text] for text in texts], tmp_path / "t",
                     tmp_path / "rows.jsonl")  # fmt: skip
    assert (made.rows, dict(made.rejected)) == (1, {"identical": 1, "nothing to say in other words": 1})
    kept = AugmentedFile(tmp_path / "rows.jsonl")
    assert len(kept) == 1 and dict(kept.rejected[0]) == dict(made.rejected)


def test_that_the_share_is_seeded_and_never_leaves_the_training_rows() -> None:
    trained = np.arange(0, 200, 2)
    picked = chosen_rows(trained, AugmentStep(share=0.25), seed=5)
    assert len(picked) == 25 and picked == sorted(set(picked)) and set(picked) <= set(trained.tolist())
    assert (
        picked
        == chosen_rows(trained, AugmentStep(share=0.25), seed=5)
        != chosen_rows(trained, AugmentStep(share=0.25), 6)
    )
    assert len(chosen_rows(trained, AugmentStep(share=0.001), seed=5)) == 1
    assert chosen_rows(trained[:0], AugmentStep(), seed=5) == []
