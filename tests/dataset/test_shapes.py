"""Shapes are recognised with their reason; rows become turns or say why they cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from remote_agent.contract.data_spec import ColumnsSpec, DataSpec, SourceSpec
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes import RowShape, row_shape
from tests.support.samples import sample

TURNS = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}]
GPT = [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Good day"}]
HELLO = (Turn("user", "Hello"), Turn("assistant", "Good day"))
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}


def row(**fields: Any) -> Row:
    return Row(2, "rows.jsonl", 7, fields)


def shaped(fields: dict[str, Any], shape: str = "auto", **data: Any) -> RowShape:
    columns = data.pop("columns", ColumnsSpec())
    return row_shape([row(**fields)], SourceSpec(shape=shape, columns=columns), DataSpec(**data))


def conversation(fields: dict[str, Any], shape: str = "auto", **data: Any) -> Conversation:
    example = shaped(fields, shape, **data).example(row(**fields))
    assert example.conversation is not None, example.problem
    return example.conversation


def problem(fields: dict[str, Any], shape: str) -> str:
    good: dict[str, dict[str, Any]] = {
        "alpaca": {"instruction": "a", "input": "", "output": "b"},
        "prompt_completion": {"prompt": "a", "completion": "b"},
        "messages": {"messages": TURNS},
        "sharegpt": {"conversations": GPT},
        "text": {"text": "a"},
        "classification": {"text": "a", "label": 1},
    }
    example = row_shape(
        [Row(0, "rows.jsonl", 1, good[shape])], SourceSpec(shape=shape), DataSpec(label_names=("no", "yes"))
    )
    found = example.example(row(**fields))
    assert found.conversation is None
    return found.problem


@pytest.mark.parametrize(
    ("fields", "shape", "reason"),
    [
        ({"instruction": "a", "input": "", "output": "b"}, "alpaca", "'instruction' and 'output' are there."),
        ({"question": "a", "answer": "b"}, "alpaca", "'question' and 'answer' are there, read as instruction and outp"),
        ({"Question": "a", "Answer": "b", "id": 1}, "alpaca", "'Question' and 'Answer'"),
        ({"query": "a", "response": "b"}, "alpaca", "'query' and 'response'"),
        ({"input": "a", "output": "b"}, "alpaca", "'input' and 'output'"),
        ({"instruction": "a", "context": "c", "response": "b", "category": "x"}, "alpaca", "'instruction' and 'respo"),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "alpaca", "'prompt' and 'chosen'"),
        ({"prompt": "a", "completion": "b"}, "prompt_completion", "'prompt' and 'completion'"),
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, "prompt_completion", "'prompt' and 'completion'"),
        ({"messages": TURNS}, "messages", "'messages' holds a list of turns"),
        ({"messages": json.dumps(TURNS)}, "messages", "'messages' holds a list of turns"),
        ({"conversations": TURNS, "id": 3}, "messages", "'conversations'"),
        ({"chosen": TURNS, "rejected": TURNS}, "messages", "'chosen'"),
        ({"prompt": "Hello", "chosen": TURNS}, "messages", "'chosen'"),
        ({"prompt": "a", "messages": TURNS}, "messages", "'messages'"),
        ({"conversations": GPT}, "sharegpt", "'conversations' holds a list of turns named from and value"),
        ({"text": "a", "url": "b"}, "text", "'text' holds text, and no column answers it"),
        ({"sentence": "a", "label": 1, "idx": 0}, "classification", "'sentence' holds text and 'label' its class"),
        ({"text": "a", "label": "good"}, "classification", "'text' holds text and 'label' its class"),
        ({"messages": []}, "messages", "'messages'"),
    ],
)
def test_that_the_shape_comes_from_the_columns_with_its_reason(fields: dict[str, Any], shape: str, reason: str) -> None:
    found = shaped(fields).shape
    assert found.name == shape
    assert reason in found.reason


def test_that_columns_nobody_reads_are_named() -> None:
    assert shaped({"instruction": "a", "output": "b", "source": "c"}).shape.unused == ("source",)
    assert shaped({"conversations": GPT, "tools": "[]", "system": "s", "id": 1}).shape.unused == ("id",)
    assert shaped({"text": "a", "url": "b"}).shape.unused == ("url",)


def test_that_a_shape_that_is_chosen_is_taken_at_its_word() -> None:
    fields = {"text": "a", "label": "b", "output": "c"}
    assert shaped(fields, "text").shape.name == "text"
    assert "Chosen in the job" in shaped(fields, "text").shape.reason
    mapped = ColumnsSpec(prompt="label", response="text")
    assert conversation(fields, "alpaca", columns=mapped).turns == (Turn("user", "b"), Turn("assistant", "a"))


def test_that_columns_that_are_mapped_decide_the_shape_too() -> None:
    fields = {"a": "x", "b": "y", "c": "z", "d": TURNS, "e": GPT}
    assert shaped(fields, columns=ColumnsSpec(prompt="a", response="b")).shape.name == "alpaca"
    assert shaped(fields, columns=ColumnsSpec(text="a")).shape.name == "text"
    assert shaped(fields, columns=ColumnsSpec(text="a", label="b")).shape.name == "classification"
    assert shaped(fields, columns=ColumnsSpec(messages="d")).shape.name == "messages"
    assert conversation(fields, columns=ColumnsSpec(messages="e")).turns == HELLO
    with pytest.raises(DataError, match=r"rows\.jsonl: the column 'gone' is named in the job but is not there"):
        shaped(fields, columns=ColumnsSpec(prompt="gone"))


def test_that_missing_columns_are_named_with_those_that_are_there() -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl line 7 \(row 3\): no shape fits the columns 'a'\. Needed"):
        shaped({"a": 1})
    with pytest.raises(DataError, match="'completion' is missing; found 'prompt'"):
        shaped({"prompt": "a"}, "prompt_completion")
    with pytest.raises(DataError, match="'messages' is missing; found 'prompt'"):
        shaped({"prompt": "a"}, "messages")
    with pytest.raises(DataError, match=r"'c0', .* and 99,980 more"):
        shaped({f"c{number}": "a" for number in range(100_000)})
    with pytest.raises(DataError, match="no row in the data"):
        row_shape([], SourceSpec(), DataSpec())


def test_that_most_of_the_first_rows_decide_and_the_others_say_what_is_wrong() -> None:
    rows = [Row(0, "a.jsonl", 1, {"text": "a"}), Row(1, "a.jsonl", 2, {}, problem="broken")]
    rows += [Row(2, "a.jsonl", 3, {"prompt": "a", "completion": "b"})] * 2
    found = row_shape(rows, SourceSpec(), DataSpec())
    assert found.shape.name == "prompt_completion"
    assert found.shape.reason.endswith("So it is in 2 of the first 3 rows.")
    assert found.example(rows[0]).problem.startswith("a.jsonl line 1 (row 1): the column 'prompt' is missing here")
    assert found.example(rows[1]).problem == "broken"


def test_that_an_alpaca_row_joins_instruction_and_input() -> None:
    assert conversation({"instruction": "Add", "input": "1, 2", "output": "3"}).turns == (
        Turn("user", "Add\n\n1, 2"), Turn("assistant", "3"),
    )  # fmt: skip
    for extra in ({}, {"input": ""}, {"input": None}):
        assert conversation({"instruction": "Add", "output": "3", **extra}).turns[0].content == "Add"
    assert conversation({"instruction": "", "input": "1", "output": "3"}).turns[0].content == "1"
    assert conversation({"question": "Q?", "context": "C", "answer": "A"}).turns[0].content == "Q?\n\nC"


def test_that_a_prompt_of_turns_is_not_learnt_and_its_completion_is() -> None:
    before = [*TURNS, {"role": "user", "content": "More"}]
    found = conversation({"prompt": before, "completion": [{"role": "assistant", "content": "Yes"}]})
    assert [turn.weight for turn in found.turns] == [None, 0.0, None, None]
    assert conversation({"prompt": "Hello", "chosen": [{"role": "assistant", "content": "Good day"}]}).turns == HELLO
    assert conversation({"prompt": "Hello", "chosen": TURNS}).turns == HELLO


def test_that_messages_may_be_json_text_as_in_a_csv_file() -> None:
    assert conversation({"messages": TURNS}).turns == HELLO
    assert conversation({"messages": json.dumps(TURNS)}).turns == HELLO
    assert conversation({"conversations": json.dumps(GPT)}).turns == HELLO


def test_that_roles_contents_and_further_fields_of_openai_are_read() -> None:
    parts = [{"type": "text", "text": "Good "}, {"type": "text", "text": "day"}]
    arguments = {"name": "f", "arguments": '{"x": 1}'}
    written = {"id": "c1", "type": "function", "function": arguments}
    found = conversation({
        "messages": [
            {"role": "developer", "content": "Be kind"},
            {"role": "user", "content": "Hello", "name": "Ann"},
            {"role": "assistant", "content": parts, "reasoning_content": "Hm"},
            {"role": "assistant", "content": None, "tool_calls": [written]},
            {"role": "tool", "content": "4", "tool_call_id": "c1"},
            {"role": "assistant", "function_call": arguments, "audio": None},
        ],
        "tools": json.dumps([{"name": "f", "parameters": {}}]),
    })  # fmt: skip
    assert found.turns == (
        Turn("system", "Be kind"),
        Turn("user", "Hello", {"name": "Ann"}),
        Turn("assistant", "Good day", {"reasoning_content": "Hm"}),
        Turn("assistant", "", {"tool_calls": [CALL], "content": None}),
        Turn("tool", "4", {"tool_call_id": "c1"}),
        Turn("assistant", "", {"tool_calls": [{"type": "function", "function": CALL["function"]}], "content": None}),
    )
    assert found.tools == ({"type": "function", "function": {"name": "f", "parameters": {}}},)


def test_that_fields_which_a_columnar_file_adds_to_every_turn_are_left_out() -> None:
    null = {"tool_calls": None, "name": None}
    arguments = {"x": 1, "other": None}
    turns = [
        {"role": "user", "content": "a", **null},
        {"role": "assistant", "content": None, "name": None,
         "tool_calls": [{"function": {"name": "f", "arguments": arguments}, "type": "function"}]},
    ]  # fmt: skip
    shape = row_shape([row(messages=turns)], SourceSpec(), DataSpec())
    columnar = shape.example(Row(0, "a.parquet", 0, {"messages": turns})).conversation
    in_text = shape.example(Row(0, "a.jsonl", 1, {"messages": turns})).conversation
    assert columnar is not None and in_text is not None
    assert columnar.turns[0] == in_text.turns[0] == Turn("user", "a")
    assert columnar.turns[1].extra["tool_calls"][0]["function"]["arguments"] == {"x": 1}
    assert in_text.turns[1].extra["tool_calls"][0]["function"]["arguments"] == arguments


def test_that_sharegpt_calls_and_their_results_are_numbered_and_linked() -> None:
    call = json.dumps({"name": "f", "arguments": {"x": 1}})
    found = conversation({
        "conversations": [
            {"from": "human", "value": "Hello"},
            {"from": "function_call", "value": call},
            {"from": "observation", "value": "4"},
            {"from": "gpt", "value": "Four"},
        ],
        "tools": "", "system": "Be brief",
    })  # fmt: skip
    assert found.tools == ()
    assert found.turns == (
        Turn("system", "Be brief"),
        Turn("user", "Hello"),
        Turn("assistant", "", {"tool_calls": [{**CALL, "id": "000000001"}]}),
        Turn("tool", "4", {"tool_call_id": "000000001", "name": "f"}),
        Turn("assistant", "Four"),
    )


def test_that_a_turn_may_weigh_less_or_be_left_out() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 0},
        {"role": "assistant", "content": "c", "weight": 0.5},
        {"role": "assistant", "content": "d", "train": False},
        {"role": "assistant", "content": "e", "train": True},
        {"role": "assistant", "content": "f", "weight": 1},
    ]
    found = conversation({"messages": turns})
    assert [turn.weight for turn in found.turns] == [None, 0.0, 0.5, 0.0, None, 1.0]
    assert all(not turn.extra for turn in found.turns)


def test_that_a_system_prompt_stands_first_unless_the_row_has_its_own() -> None:
    asked = {"prompt": "a", "completion": "b"}
    assert conversation(asked, system_prompt="Be kind").turns[0] == Turn("system", "Be kind")
    own = [{"role": "system", "content": "Be brief"}, *TURNS]
    for fields in ({"messages": own}, {"messages": TURNS, "system": "Be brief"}):
        found = conversation(fields, system_prompt="Be kind").turns
        assert [turn.content for turn in found] == ["Be brief", "Hello", "Good day"]
    assert conversation({**asked, "system": ""}, system_prompt="Be kind").turns[0].content == "Be kind"
    assert conversation({"text": "a"}, system_prompt="Be kind").turns == (Turn("text", "a"),)


def test_that_a_class_is_asked_by_the_jobs_prompt_and_named_by_the_jobs_words() -> None:
    words: dict[str, Any] = {"label_names": ("bad", "good"), "classification_prompt": "{text}\nOne of {labels}:"}
    found = conversation({"sentence": "So {labels}", "label": 1}, **words)
    assert found.turns == (Turn("user", "So {labels}\nOne of bad, good:"), Turn("assistant", "good"))
    assert found.label == "good"
    for label, expected in ((0, "bad"), ("1", "good"), ("good", "good"), (True, "good"), (1.0, "good")):
        assert conversation({"text": "a", "label": label}, "classification", **words).label == expected
    assert conversation({"text": "a", "label": 3}).label == "3"
    with pytest.raises(DataError, match=r"lacks \{text\}"):
        shaped({"text": "a", "label": 1}, classification_prompt="What?")
    with pytest.raises(DataError, match=r"says \{labels\}, but no class names"):
        shaped({"text": "a", "label": 1}, classification_prompt="{text} {labels}")


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
        ("messages", {"messages": "[" * 100_000}, "'messages' is text that is no JSON"),
        ("messages", {"messages": ["Hello"]}, "turn 1 of 'messages' has text"),
        ("messages", {"messages": [[TURNS]]}, "turn 1 of 'messages' has a list"),
        ("messages", {"messages": GPT}, "ShareGPT's names"),
        ("sharegpt", {"conversations": TURNS}, "the names of the shape messages"),
        ("messages", {"messages": [{"role": "narrator", "content": "a"}]}, "role 'narrator'"),
        ("messages", {"messages": [{"role": ["user"], "content": "a"}]}, "role"),
        ("messages", {"messages": [{"role": "user", "content": None}]}, "the content is null"),
        ("messages", {"messages": [{"role": "user", "content": 3}]}, "the content is a number"),
        ("messages", {"messages": [*TURNS, {"role": "user", "content": [{"type": "text"}]}]}, "turn 3"),
        ("messages", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
         "part 1 of the content is of the type 'image_url'; a language model is trained on text parts only"),
        ("messages", {"messages": [{"role": "assistant", "content": "a", "weight": -1}]}, "the weight is -1"),
        ("messages", {"messages": [{"role": "assistant", "content": "a", "weight": float("nan")}]}, "weight is nan"),
        ("messages", {"messages": [{"role": "assistant", "content": "a", "train": "no"}]}, "'train' is text"),
        ("messages", {"messages": TURNS, "tools": "[oops"}, "'tools' is text that is no JSON"),
        ("messages", {"messages": TURNS, "tools": [3]}, "function 1 is no object with a name"),
        ("messages", {"messages": TURNS, "tools": 3}, "'tools' is a number"),
        ("messages", {"messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": 1}]}]},
         "a function call is no object with name and arguments"),
        ("messages", {"messages": [{"role": "user", "content": "a", "name": "half \ud83d"}]}, "half of a character"),
        ("sharegpt", {"conversations": [{"from": "function_call", "value": "f(x)"}]}, "text that is no JSON"),
        ("text", {"text": None}, "'text' is null"),
        ("classification", {"text": "a", "label": None}, "the class in 'label' is null"),
        ("classification", {"text": "a", "label": ""}, "the class in 'label' is empty"),
        ("classification", {"text": "a", "label": 2}, "is 2; data.label_names names 0 to 1"),
        ("classification", {"text": "a", "label": -1}, "is -1"),
        ("alpaca", {"instruction": "a", "output": "half \ud83d"}, "half of a character (\\ud83d)"),
    ],
)  # fmt: skip
def test_that_a_row_that_is_no_conversation_says_where_and_why(shape: str, fields: dict[str, Any], words: str) -> None:
    found = problem(fields, shape)
    assert found.startswith("rows.jsonl line 7 (row 3)")
    assert words in found


@pytest.mark.parametrize(
    ("name", "shape", "rows"),
    [
        ("alpaca_en_demo.json", "alpaca", 999),
        ("glaive_toolcall_en_demo.json", "sharegpt", 300),
        ("c4_demo.jsonl", "text", 300),
    ],
)
def test_that_real_data_is_detected_and_read_whole(name: str, shape: str, rows: int) -> None:
    text = sample(name).read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)
    read = [Row(index, name, index + 1, fields) for index, fields in enumerate(records)]
    found = row_shape(read[:100], SourceSpec(), DataSpec())
    assert (found.shape.name, found.shape.unused) == (shape, ())
    examples = [found.example(one) for one in read]
    assert len(examples) == rows and not any(example.problem for example in examples)
    if shape == "sharegpt":
        calls = [turn for one in examples if one.conversation for turn in one.conversation.turns if turn.extra]
        assert sum("tool_calls" in turn.extra for turn in calls) == 211
        assert sum(bool(one.conversation and one.conversation.tools) for one in examples) == 191
