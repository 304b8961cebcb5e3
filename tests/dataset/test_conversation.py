"""Shapes are recognised with their reason; rows become turns or say why they cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from remote_agent.dataset.conversation import Turn, conversation, detect_shape
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row

TURNS = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}]


def row(**fields: Any) -> Row:
    return Row(2, "rows.jsonl", 7, fields)


@pytest.mark.parametrize(
    ("fields", "shape", "reason"),
    [
        ({"instruction": "a", "input": "", "output": "b"}, "alpaca", "'instruction' and 'output'"),
        ({"prompt": "a", "completion": "b"}, "prompt_completion", "'prompt' and 'completion'"),
        ({"messages": TURNS}, "messages", "'messages' holds a list of turns"),
        ({"conversations": TURNS, "id": 3}, "messages", "'conversations'"),
    ],
)
def test_that_the_shape_comes_from_the_columns_with_its_reason(fields: dict[str, Any], shape: str, reason: str) -> None:
    found = detect_shape(row(**fields))
    assert found.name == shape
    assert reason in found.reason
    assert "Chosen in the job" in detect_shape(row(**fields), shape).reason


def test_that_missing_columns_are_named_with_those_that_are_there() -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl line 7 \(row 3\): no shape fits the columns 'text'\. Needed"):
        detect_shape(row(text="a"))
    with pytest.raises(DataError, match="'completion' is missing; found 'prompt'"):
        detect_shape(row(prompt="a"), "prompt_completion")
    with pytest.raises(DataError, match="'messages' is missing; found 'prompt'"):
        detect_shape(row(prompt="a"), "messages")


def test_that_an_alpaca_row_joins_instruction_and_input() -> None:
    assert conversation(row(instruction="Add", input="1, 2", output="3"), "alpaca").turns == (
        Turn("user", "Add\n\n1, 2"), Turn("assistant", "3"),
    )  # fmt: skip
    for extra in ({}, {"input": ""}, {"input": None}):
        assert conversation(row(instruction="Add", output="3", **extra), "alpaca").turns[0].content == "Add"
    assert conversation(row(instruction="", input="1", output="3"), "alpaca").turns[0].content == "1"


def test_that_messages_may_be_json_text_as_in_a_csv_file() -> None:
    expected = tuple(Turn(turn["role"], turn["content"]) for turn in TURNS)
    assert conversation(row(messages=TURNS), "messages").turns == expected
    assert conversation(row(messages=json.dumps(TURNS)), "messages").turns == expected


def test_that_a_system_prompt_stands_first_unless_the_row_has_its_own() -> None:
    assert conversation(row(prompt="a", completion="b"), "prompt_completion", "Be kind").turns[0] == Turn(
        "system", "Be kind"
    )
    own = [{"role": "system", "content": "Be brief"}, *TURNS]
    assert [turn.content for turn in conversation(row(messages=own), "messages", "Be kind").turns] == [
        "Be brief", "Hello", "Good day",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "fields", "words"),
    [
        ("alpaca", {"instruction": "a", "output": None}, "'output' is null; text is needed. Fill it in"),
        ("alpaca", {"instruction": "a", "output": 42}, "'output' is a number; text is needed. Put it in quotes"),
        ("alpaca", {"instruction": "a", "input": ["b"], "output": "c"}, "'input' is a list"),
        ("alpaca", {"instruction": "a"}, "'output' is missing here"),
        ("prompt_completion", {"prompt": [], "completion": "b"}, "'prompt' is a list"),
        ("messages", {"messages": []}, "'messages' is an empty list"),
        ("messages", {"messages": None}, "'messages' is null"),
        ("messages", {"messages": "Hello"}, "'messages' is text that is no JSON"),
        ("messages", {"messages": ["Hello"]}, "turn 1 of 'messages' has text"),
        ("messages", {"conversations": [{"from": "human", "value": "a"}]}, "ShareGPT's names"),
        ("messages", {"messages": [{"role": "tool", "content": "a"}]}, "role 'tool'"),
        ("messages", {"messages": [{"role": ["user"], "content": "a"}]}, "role"),
        ("messages", {"messages": [{"role": "user", "content": None}]}, "the content is null"),
        ("messages", {"messages": [*TURNS, {"role": "user", "content": [{"type": "text"}]}]}, "turn 3"),
        ("alpaca", {"instruction": "a", "output": "half \ud83d"}, "half of a character (\\ud83d)"),
    ],
)
def test_that_a_row_that_is_no_conversation_says_where_and_why(shape: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError) as caught:
        conversation(row(**fields), shape)
    assert str(caught.value).startswith("rows.jsonl line 7 (row 3)")
    assert words in str(caught.value)
