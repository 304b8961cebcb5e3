"""What the tokens of a row show: too long, cut, not trained, and markers at both ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.job_spec import with_value
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.findings.token_checks import TokenChecks
from remote_agent.dataset.tokenizer_files import ModelTokenizer
from tests.dataset.findings.looking import JOB, chat, look, roles, rows_of, tiny
from tests.support.tiny import CHATML_TEMPLATE, GENERATION_TEMPLATE

LONG = "word " * 400
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}
WITH_TOOLS = CHATML_TEMPLATE.replace(
    "{% for message in messages %}", "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}", 1
)


def test_that_clean_rows_have_no_finding_of_tokens(model: ModelTokenizer) -> None:
    rows = [chat("Where?", "Here."), chat("a", "b", "c", "d"), roles("system", "user", "assistant")]
    assert look(rows, model, kinds=TokenChecks.kinds) == {}


def test_that_a_row_that_cannot_be_used_is_an_error_with_its_place(model: ModelTokenizer) -> None:
    found = look([chat("a", "b"), None, chat("c", "d"), None], model)
    assert rows_of(found) | {"pad_is_end": []} == {"bad_row": [1, 3], "pad_is_end": []}
    assert found["bad_row"].detail == "some.jsonl line 2: no JSON"


@pytest.mark.parametrize(
    ("over_length", "expected"),
    [
        ("truncate", {"over_length": [1, 2, 3], "response_cut": [1, 2]}),
        ("drop", {"over_length": [1, 2, 3]}),
        ("split", {"over_length": [1, 2, 3]}),
    ],
)
def test_that_long_rows_are_said_as_the_job_treats_them(
    model: ModelTokenizer, over_length: str, expected: dict[str, list[int]]
) -> None:
    rows = [chat("a", "b"), chat("a", LONG), chat(LONG, "b"), Conversation((Turn("text", LONG),))]
    job = with_value(JOB, "data.over_length", over_length)
    found = look(rows, model, job, kinds={"over_length", "response_cut"})
    assert rows_of(found) == expected
    if over_length == "truncate":
        assert found["response_cut"].detail == "; of 1 row nothing trained is left"
    held, whole = found["over_length"].figures
    assert JOB.data.max_length < held <= whole


def test_that_a_prompt_over_the_length_cuts_no_response(model: ModelTokenizer) -> None:
    rows = [chat("a", "b", LONG)]
    assert rows_of(look(rows, model, kinds={"over_length", "response_cut"})) == {"over_length": [0]}


def test_that_rows_without_an_answer_train_nothing(model: ModelTokenizer) -> None:
    rows = [chat("a", "b"), chat("a"), Conversation((Turn("user", "a"), Turn("assistant", "b", weight=0.0)))]
    assert rows_of(look(rows, model, kinds={"nothing_trained"})) == {"nothing_trained": [1, 2]}


def test_that_only_the_last_turn_trained_is_found_where_there_are_several(model: ModelTokenizer) -> None:
    rows = [chat("a", "b"), chat("a", "b", "c", "d"), chat("a", "b", "c", "d", "e", "f")]
    job = with_value(JOB, "data.train_on", "last")
    assert rows_of(look(rows, model, job, kinds={"last_turn_only"})) == {"last_turn_only": [1, 2]}
    assert look(rows, model, kinds={"last_turn_only"}) == {}
    every = with_value(JOB, "data.train_on", "all")
    assert look(rows, model, every, kinds={"last_turn_only"}) == {}


def test_that_a_template_that_marks_only_the_last_answer_is_found(tmp_path: Path) -> None:
    template = GENERATION_TEMPLATE.replace("message['role'] == 'assistant'", "loop.last")
    rows = [chat("a", "b"), chat("a", "b", "c", "d")]
    assert rows_of(look(rows, tiny(tmp_path, template), kinds={"last_turn_only"})) == {"last_turn_only": [1]}


def test_that_a_template_without_an_end_of_turn_is_found(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    found = look([chat("a", "b"), chat("a")], tiny(tmp_path, template), kinds=TokenChecks.kinds)
    assert rows_of(found) == {"missing_end_of_turn": [0], "nothing_trained": [1]}


def test_that_an_end_of_turn_outside_the_generation_markers_is_found(tmp_path: Path) -> None:
    template = GENERATION_TEMPLATE.replace(
        "{{ message['content'] + '<|im_end|>' }}{% endgeneration %}",
        "{{ message['content'] }}{% endgeneration %}{{ '<|im_end|>' }}",
    )
    found = look([chat("a", "b"), roles("text")], tiny(tmp_path, template), kinds=TokenChecks.kinds)
    assert rows_of(found) == {"untrained_end_of_turn": [0]}


@pytest.mark.parametrize("train_on", ["assistant", "last", "all"])
def test_that_an_end_that_is_trained_is_no_finding(model: ModelTokenizer, tmp_path: Path, train_on: str) -> None:
    job = with_value(JOB, "data.train_on", train_on)
    kinds = {"missing_end_of_turn", "untrained_end_of_turn"}
    for one in (model, tiny(tmp_path / "generation", GENERATION_TEMPLATE), tiny(tmp_path / "none", "")):
        assert look([chat("a", "b", "c", "d"), chat("a", LONG)], one, job, kinds=kinds) == {}


def test_that_a_doubled_start_is_found(tmp_path: Path) -> None:
    # The tiny tokenizer's beginning token is <|im_start|>, which this template writes before every row.
    template = "{{ bos_token }}{% for m in messages %}{{ m['content'] + eos_token }}{% endfor %}"
    rows = [chat("a", "b"), chat("<|im_start|>a", "b"), chat("a<|im_start|><|im_start|>", "b")]
    assert rows_of(look(rows, tiny(tmp_path, template), kinds={"double_bos"})) == {"double_bos": [1]}


def test_that_tools_the_template_does_not_write_are_found(model: ModelTokenizer, tmp_path: Path) -> None:
    call = Turn("assistant", "", {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {}}}]})
    rows = [
        chat("Weather?", "Fine."),
        chat("Weather?", "Fine.")._replace(tools=(TOOL,)),
        chat("get_weather?", "Fine.")._replace(tools=(TOOL,)),
        Conversation((Turn("user", "g"), call, Turn("tool", "1"), Turn("assistant", "g"))),
    ]
    assert rows_of(look(rows, model, kinds={"tools_ignored"})) == {"tools_ignored": [1, 3]}
    assert rows_of(look(rows[:3], tiny(tmp_path, WITH_TOOLS), kinds={"tools_ignored"})) == {}
