"""What is trained is the assistant's text and its end of turn, whatever the template looks like."""

from __future__ import annotations

import dataclasses

import pytest

from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.rendering import Renderer
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, GENERATION_TEMPLATE, tiny_tokenizer_files

TWO = Conversation(
    (Turn("user", "One?"), Turn("assistant", "First."), Turn("user", "Two?"), Turn("assistant", "Second."))
)

LLAMA2_LIKE = (
    "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content | trim }} <|im_end|>{% endif %}{% endfor %}"
)
ENDS_WITH_ANOTHER_TOKEN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% else %}<|endoftext|>{% endif %}"
)
THINKS_IN_THE_LAST_TURN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if loop.last and m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SPECIAL_TOKENS = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
COUNTS_THE_TURNS = "{{ messages | length }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}"
COUNTS_AND_SHOUTS = "{{ messages | length }}{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}"
REFUSES_HALF_A_TALK = (
    "{% if messages | length % 2 %}{{ raise_exception('roles must alternate') }}{% endif %}" + COUNTS_THE_TURNS
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelTokenizer:
    return load_tokenizer(tiny_tokenizer_files(tmp_path_factory.mktemp("tokenizer")))


def trained(model: ModelTokenizer, template: str, conversation: Conversation) -> list[str]:
    compiled = ChatTemplate(template, model.special_tokens) if template else None
    rendered = Renderer(dataclasses.replace(model, template=compiled)).render(conversation)
    if compiled is not None:
        assert rendered.text == compiled.render(conversation.turns)
    return [rendered.text[start:end] for start, end in rendered.spans]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (CHATML_TEMPLATE, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (GENERATION_TEMPLATE, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (LLAMA2_LIKE, ["First. <|im_end|>", "Second. <|im_end|>"]),
        (ENDS_WITH_ANOTHER_TOKEN, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (THINKS_IN_THE_LAST_TURN, ["First.<|im_end|>", "<think>\n\n</think>\n\nSecond.<|im_end|>"]),
        (COUNTS_THE_TURNS, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (REFUSES_HALF_A_TALK, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (NO_SPECIAL_TOKENS, ["First.\n\n", "Second.\n\n"]),
    ],
)
def test_that_the_assistants_words_and_their_end_are_trained(
    model: ModelTokenizer, template: str, expected: list[str]
) -> None:
    assert trained(model, template, TWO) == expected


def test_that_text_that_imitates_a_turn_is_not_trained(model: ModelTokenizer) -> None:
    sly = Turn("user", "x<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>")
    assert trained(model, CHATML_TEMPLATE, Conversation((sly, Turn("assistant", "First.")))) == ["First.<|im_end|>"]


def test_that_the_assistant_may_speak_first(model: ModelTokenizer) -> None:
    for content in ("Hello.", "", "system"):
        turns = Conversation((Turn("assistant", content), Turn("user", "a"), Turn("assistant", "b")))
        assert trained(model, CHATML_TEMPLATE, turns) == [content + "<|im_end|>", "b<|im_end|>"]


def test_that_an_empty_answer_trains_its_end_alone(model: ModelTokenizer) -> None:
    for template in (CHATML_TEMPLATE, GENERATION_TEMPLATE):
        assert trained(model, template, Conversation((Turn("user", "a"), Turn("assistant", "")))) == ["<|im_end|>"]


def test_that_a_template_whose_prefixes_are_none_is_refused_with_the_way_out(model: ModelTokenizer) -> None:
    with pytest.raises(DataError, match=r"before turn 2 otherwise.*\{% generation %\}"):
        trained(model, COUNTS_AND_SHOUTS, TWO)


def test_that_without_a_template_prompt_and_response_are_joined_plainly(model: ModelTokenizer) -> None:
    renderer = Renderer(dataclasses.replace(model, template=None))
    glued = renderer.render(Conversation((Turn("user", "2+2="), Turn("assistant", "4")), glued=True))
    assert glued.text == "2+2=4<|im_end|>"
    assert [glued.text[start:end] for start, end in glued.spans] == ["4<|im_end|>"]
    turns = renderer.render(Conversation((Turn("system", "Be brief."), *TWO.turns)))
    assert turns.text == "Be brief.\n\nOne?\n\nFirst.<|im_end|>\n\nTwo?\n\nSecond.<|im_end|>"
    assert [turns.text[start:end] for start, end in turns.spans] == ["First.<|im_end|>", "Second.<|im_end|>"]
    starts = Renderer(dataclasses.replace(model, template=None, starts_with_bos=True)).render(TWO)
    assert starts.text.startswith("<|im_start|>One?")
    assert starts.text[slice(*starts.spans[0])] == "First.<|im_end|>"


ENDS_INSIDE_MARKERS = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|im_start|>{% generation %}{{ m.content | trim }}<|im_end|>"
    "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% generation %}<|endoftext|>{% endgeneration %}"
)


def test_that_markers_beyond_the_turns_belong_to_the_turn_before_them(model: ModelTokenizer) -> None:
    template = ChatTemplate(ENDS_INSIDE_MARKERS, model.special_tokens)
    with_template = dataclasses.replace(model, template=template)
    for train_on, expected in (
        ("assistant", ["First.<|im_end|>", "Second.<|im_end|>", "<|endoftext|>"]),
        ("last", ["Second.<|im_end|>", "<|endoftext|>"]),
    ):
        rendered = Renderer(with_template, train_on).render(TWO)
        assert [rendered.text[start:end] for start, end in rendered.spans] == expected
    light = TWO._replace(turns=(TWO.turns[0], TWO.turns[1]._replace(weight=0.5), *TWO.turns[2:]))
    assert Renderer(with_template).render(light).weights == (0.5, 1.0, 1.0)


def test_that_without_a_template_calls_are_lines_of_json(model: ModelTokenizer) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": "é"}}}
    turns = (
        Turn("user", "Now?"),
        Turn("assistant", "I look.", {"tool_calls": [call, call]}),
        Turn("tool", "4"),
        Turn("assistant", "", {"tool_calls": [call], "content": None}),
    )
    rendered = Renderer(dataclasses.replace(model, template=None)).render(Conversation(turns))
    line = '{"name": "f", "arguments": {"x": "é"}}'
    assert [rendered.text[start:end] for start, end in rendered.spans] == [
        f"I look.\n{line}\n{line}<|im_end|>", f"{line}<|im_end|>",
    ]  # fmt: skip


def test_that_rows_with_tools_and_calls_do_not_disturb_the_skeleton_of_plain_ones(model: ModelTokenizer) -> None:
    text = (
        "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
        "{% for c in m.tool_calls or [] %}{{ c.function.name }}{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    renderer = Renderer(dataclasses.replace(model, template=ChatTemplate(text, {})))
    plain = Conversation((Turn("user", "a"), Turn("assistant", "b")))
    call = {"type": "function", "function": {"name": "fetch", "arguments": {}}}
    calls = Conversation((Turn("user", "a"), Turn("assistant", "", {"tool_calls": [call]})), tools=(call,))
    for conversation, expected in ((plain, "b<|im_end|>"), (calls, "fetch<|im_end|>"), (plain, "b<|im_end|>")):
        rendered = renderer.render(conversation)
        assert [rendered.text[start:end] for start, end in rendered.spans] == [expected]
