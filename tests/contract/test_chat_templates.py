"""Built-in templates write the public formats and mark exactly what the assistant says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.chat_templates import BUILT_IN, MARKERS, resolve_template
from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.conversation import Turn

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
CALL = {"id": "000000001", "type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}
TOOLS = ({"type": "function", "function": {"name": "weather", "description": "It", "parameters": {}}},)
TALK = (
    Turn("system", "Be brief."),
    Turn("user", "Now?"),
    Turn("assistant", "", {"tool_calls": [CALL], "content": None}),
    Turn("tool", "4", {"name": "weather", "tool_call_id": "000000001"}),
    Turn("assistant", "Cold."),
    Turn("user", "Thanks."),
    Turn("assistant", "Welcome."),
)
ENDS = {"chatml": "<|im_end|>", "qwen": "<|im_end|>", "llama3": "<|eot_id|>", "gemma": "<end_of_turn>",
        "phi3": "<|end|>"}  # fmt: skip


def marked(name: str, turns: tuple[Turn, ...], tools: Any = ()) -> tuple[str, list[str]]:
    text, spans = ChatTemplate(BUILT_IN[name], SPECIAL).render_with_spans(turns, tools)
    return text, [text[start:end] for start, end in spans]


@pytest.mark.parametrize("name", BUILT_IN)
def test_that_each_marks_the_answers_their_calls_and_their_ends(name: str) -> None:
    text, trained = marked(name, TALK, TOOLS)
    end = ENDS.get(name, "</s>")
    assert [part.strip() for part in trained[1:]] == [f"Cold.{end}", f"Welcome.{end}"]
    assert trained[0].endswith(end) and '"weather"' in trained[0] and '"city": "Oslo"' in trained[0]
    for said in ("Be brief.", "Now?", "4", "Thanks.", '"description": "It"'):
        assert said in text
    assert all(marker in text for marker in MARKERS[name])


@pytest.mark.parametrize("name", BUILT_IN)
def test_that_a_prompt_is_what_the_whole_text_starts_with(name: str) -> None:
    template = ChatTemplate(BUILT_IN[name], SPECIAL)
    turns = (Turn("user", "One?"), Turn("assistant", "First."))
    asked = template.render(turns[:1], add_generation_prompt=True)
    text, spans = template.render_with_spans(turns)
    assert text.startswith(asked) and spans[0][0] == len(asked)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("llama3", "llama3"), ("qwen", "qwen2_5"), ("gemma", "gemma3"), ("phi3", "phi3_5")],
)
@pytest.mark.parametrize("with_system", [True, False])
def test_that_texts_equal_those_of_the_models_own_templates(name: str, theirs: str, with_system: bool) -> None:
    import trl

    source = (Path(trl.__file__).parent / "chat_templates" / f"{theirs}.jinja").read_text(encoding="utf-8")
    turns = TALK[0 if with_system else 1 : 2] + TALK[4:]
    ours = ChatTemplate(BUILT_IN[name], SPECIAL).render(turns)
    expected = ChatTemplate(source, SPECIAL).render(turns)
    # Phi's template ends the text with its end token, which is no part of a turn.
    assert ours == (expected.removesuffix("</s>") if name == "phi3" else expected)


def test_that_calls_of_qwen_equal_those_of_its_own_template() -> None:
    import trl

    source = (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text(encoding="utf-8")
    turns = tuple(turn._replace(extra={**turn.extra, "content": ""}) if turn.extra else turn for turn in TALK)
    turns = tuple(Turn("tool", "4") if turn.role == "tool" else turn for turn in turns)
    assert ChatTemplate(BUILT_IN["qwen"], SPECIAL).render(turns, tools=TOOLS) == ChatTemplate(source, SPECIAL).render(
        turns, tools=TOOLS
    )


def test_that_a_name_is_resolved_and_an_unknown_one_named() -> None:
    assert resolve_template("builtin:chatml") == BUILT_IN["chatml"]
    assert resolve_template("{{ 1 }}") == "{{ 1 }}" and resolve_template("") == ""
    with pytest.raises(ValueError, match=r"no built-in chat template named 'llama9'; there are chatml, llama3"):
        resolve_template("builtin:llama9")
    assert MARKERS.keys() == BUILT_IN.keys()
