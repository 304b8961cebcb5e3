"""What the steps that change single rows do to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.data_steps import (
    BalanceStep,
    MapLabelsStep,
    NormaliseStep,
    ReplaceStep,
    Step,
    TruncateStep,
)
from remote_agent.dataset.conversation import Conversation, Example, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row
from remote_agent.dataset.steps.row_steps import applied, cut_to_tokens, normalised, row_step
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import tiny_tokenizer_files

PARTS = st.builds(NormaliseStep, st.booleans(), st.booleans(), st.booleans(), st.booleans())
TEXT = st.text(alphabet=st.sampled_from("ab \t\r\n\x00\x07\u0085eé\u0301ÃÂ©â€™»A\u212b\ufb01한😀"), max_size=16)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelTokenizer:
    return load_tokenizer(tiny_tokenizer_files(tmp_path_factory.mktemp("model")))


def said(*turns: tuple[str, str], label: str = "") -> Conversation:
    return Conversation(tuple(Turn(role, content) for role, content in turns), label=label)


def through(step: Step, conversation: Conversation, model: ModelTokenizer) -> Conversation:
    change = row_step(step, model)
    assert change is not None
    return change([conversation])[0]


@given(TEXT, PARTS)
def test_that_normal_text_stays_as_it_is(text: str, step: NormaliseStep) -> None:
    once = normalised(text, step)
    assert normalised(once, step) == once


@pytest.mark.parametrize(
    ("part", "text", "expected"),
    [
        ("unicode", "Cafe\u0301 \u212b", "Café Å"),
        ("controls", "a\x00b\x1b[0mc\td\ne\x85", "ab[0mc\td\ne"),
        ("spaces", " \ta\r\nb\rc\n ", "a\nb\nc"),
        ("encoding", "itâ€™s cafÃ©", "it’s café"),
    ],
)
def test_that_each_part_of_normalising_does_its_own_and_can_be_off(part: str, text: str, expected: str) -> None:
    off: dict[str, Any] = dict.fromkeys(("unicode", "controls", "spaces", "encoding"), False)
    assert normalised(text, NormaliseStep(**off)) == text
    assert normalised(text, NormaliseStep(**{**off, part: True})) == expected


def test_that_a_control_character_does_not_hide_a_wrong_encoding() -> None:
    assert normalised("itâ\x00€™s", NormaliseStep(encoding=True)) == "it’s"


def test_that_replacing_keeps_to_its_turns(model: ModelTokenizer) -> None:
    before = said(("system", "old"), ("user", "old"), ("assistant", "old old"), ("tool", "old"))
    for role, expected in (
        ("any", ["new", "new", "new new", "new"]),
        ("assistant", ["old", "old", "new new", "old"]),
        ("system", ["new", "old", "old old", "old"]),
    ):
        for regex in (False, True):
            after = through(ReplaceStep(role, "old", "new", regex), before, model)
            assert [turn.content for turn in after.turns] == expected


def test_that_what_looks_like_an_expression_is_only_one_where_that_is_asked(model: ModelTokenizer) -> None:
    before = said(("user", "a.c abc"))
    assert through(ReplaceStep("any", "a.c", "x"), before, model).turns[0].content == "x abc"
    assert through(ReplaceStep("any", "a(.)c", r"\1", True), before, model).turns[0].content == ". b"


def test_that_a_row_that_a_step_does_not_change_is_the_same_object(model: ModelTokenizer) -> None:
    before = said(("user", "fine"), ("assistant", "fine"), label="a")
    steps: tuple[Step, ...] = (
        NormaliseStep(), ReplaceStep(find="x"), ReplaceStep(find="x+", regex=True), TruncateStep(tokens=50),
        TruncateStep(tokens=5), MapLabelsStep(("b=c",)),
    )  # fmt: skip
    for step in steps:
        assert through(step, before, model) is before


def test_that_a_class_is_renamed_with_the_answer_that_names_it(model: ModelTokenizer) -> None:
    step = MapLabelsStep(("pos = positive", "neg=negative", "bad=negative"))
    before = said(("user", "Is it pos?"), ("assistant", "pos"), label="pos")
    after = through(step, before, model)
    assert (after.label, [turn.content for turn in after.turns]) == ("positive", ["Is it pos?", "positive"])
    assert through(step, said(("assistant", "bad"), label="bad"), model).label == "negative"
    without = said(("user", "pos"), ("assistant", "pos"))
    assert through(step, without, model) is without


@settings(deadline=None)
@given(text=st.text(max_size=60), tokens=st.integers(1, 12), keep=st.sampled_from(("start", "end")))
def test_that_a_cut_text_has_no_more_tokens_and_stays_when_cut_again(
    model: ModelTokenizer, text: str, tokens: int, keep: str
) -> None:
    step = TruncateStep(tokens=tokens, keep=keep)
    cut = cut_to_tokens(text, step, model.tokenizer)
    assert len(model.tokenizer.encode(cut, add_special_tokens=False).ids) <= tokens
    assert text.startswith(cut) if keep == "start" else text.endswith(cut)
    assert cut_to_tokens(cut, step, model.tokenizer) == cut
    whole = model.tokenizer.encode(text, add_special_tokens=False)
    if len(whole.ids) <= tokens:
        assert cut == text


def test_that_a_character_of_several_tokens_is_never_split(model: ModelTokenizer) -> None:
    assert len(model.tokenizer.encode("😀").ids) == 4
    for tokens, expected in ((4, "😀"), (5, "😀a"), (3, "")):
        assert cut_to_tokens("😀a", TruncateStep(tokens=tokens), model.tokenizer) == expected
        assert cut_to_tokens("a😀", TruncateStep(tokens=tokens, keep="end"), model.tokenizer) == expected[::-1]


def test_that_rows_without_a_conversation_pass_through_in_their_place(model: ModelTokenizer) -> None:
    change = row_step(ReplaceStep(find="a", put="b"), model)
    assert change is not None
    rows = [
        Example(Row(number, "f", 1, {}), None if number % 3 == 0 else said(("user", "a")), "broken" * (number % 3 == 0))
        for number in range(700)
    ]
    found = list(applied(rows, [change]))
    assert [one.row.index for one in found] == list(range(700))
    assert all(one.conversation is None or one.conversation.turns[0].content == "b" for one in found)
    assert [one.problem for one in found] == [one.problem for one in rows]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [(ReplaceStep(), "nothing to find"), (MapLabelsStep(("pos",)), "write OLD=NEW")],
)
def test_that_a_step_that_cannot_be_done_says_why(model: ModelTokenizer, step: Step, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        row_step(step, model)


def test_that_a_step_over_all_rows_is_none_of_these(model: ModelTokenizer, tmp_path: Path) -> None:
    assert row_step(BalanceStep(), model) is None
