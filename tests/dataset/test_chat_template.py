"""Templates render as transformers renders them, in a sandbox, and their failures are sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.data_error import DataError
from tests.support.tiny import CHATML_TEMPLATE, GENERATION_TEMPLATE, tiny_tokenizer_files

TURNS = (
    Turn("user", "Say <b>hi</b>"),
    Turn("assistant", "Hi \\ 'you'"),
    Turn("user", "Again"),
    Turn("assistant", "Hi"),
)

LOOPS = """{%- set ns = namespace(count=0) %}
{% for message in messages %}
    {% if message.role == 'user' %}
        {% set ns.count = ns.count + 1 %}
        {% if ns.count > 1 %}
            {% break %}
        {% endif %}
    {% endif %}
{{ bos_token }}{{ message | tojson }}{{ message.content | trim }}
{% endfor %}
{{ {'tools': tools, 'n': dict(a=1)} | tojson(indent=2) }}{{ eos_token }}
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_tokenizer_files(tmp_path_factory.mktemp("tokenizer")))


@pytest.mark.parametrize("text", [CHATML_TEMPLATE, GENERATION_TEMPLATE, LOOPS])
def test_that_a_template_renders_as_in_transformers(theirs: Any, text: str) -> None:
    template = ChatTemplate(text, theirs.special_tokens_map)
    for count in range(1, len(TURNS) + 1):
        for prompt in (False, True):
            expected = theirs.apply_chat_template(
                [{"role": turn.role, "content": turn.content} for turn in TURNS[:count]],
                chat_template=text,
                tokenize=False,
                add_generation_prompt=prompt,
            )
            assert template.render(TURNS[:count], prompt) == expected


def test_that_markers_give_the_spans_of_what_the_assistant_says() -> None:
    template = ChatTemplate(GENERATION_TEMPLATE, {})
    text, spans = template.render_with_spans(TURNS)
    assert template.marks_generation and not ChatTemplate(CHATML_TEMPLATE, {}).marks_generation
    assert text == template.render(TURNS)
    assert [text[start:end] for start, end in spans] == ["Hi \\ 'you'<|im_end|>", "Hi<|im_end|>"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages[9].content }}", "refuses the row"),
        ("{{ ''.__class__.__mro__ }}", "refuses the row"),
        ("{{ messages.append(1) }}", "refuses the row"),
        ("{% set ns = namespace() %}{% set ns._x = 1 %}", "refuses the row"),
        ("{{ 1 + 'a' }}", "refuses the row"),
        ("{{ 1 // 0 }}", "refuses the row"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "refuses the row"),
    ],
)
def test_that_a_template_that_fails_or_reaches_out_is_a_data_error(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ChatTemplate(text, {}).render(TURNS)


def test_that_a_mistake_in_a_template_is_told_with_its_line() -> None:
    with pytest.raises(DataError, match="error at line 2"):
        ChatTemplate("{% for m in messages %}\n{% endif %}", {})


def test_that_a_dated_template_is_known(tmp_path: Path) -> None:
    template = ChatTemplate("{{ strftime_now('%Y') }}", {})
    assert template.names_today
    assert template.render(TURNS).isdigit()
