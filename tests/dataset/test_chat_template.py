"""Templates render as transformers renders them, in a sandbox, and their failures are sentences."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from remote_agent.dataset import template_sandbox
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


ENDLESS = {
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a loop that calls itself": "{% for a in range(99) recursive %}{% if loop.depth < 9 %}{{ loop(range(99)) }}"
    "{% endif %}{% endfor %}",
    "macros that double": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "a text that doubles": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}"
    "{% endfor %}{{ ns.x }}",
    "a text joined to itself": "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}"
    "{% endfor %}",
    "a list that doubles": "{% set ns = namespace(x=['ab']) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}"
    "{% endfor %}{{ ns.x }}",
    "a dict that doubles": "{% set ns = namespace(x={}) %}{% for i in range(99) %}"
    "{% set ns.x = dict(a=ns.x, b=ns.x) %}{% endfor %}{{ ns.x | tojson }}",
    "a huge product": "{{ 'ab' * 10 ** 12 }}",
    "a huge list": "{{ ['ab'] * 10 ** 10 }}",
    "a huge power": "{{ 9 ** (9 ** 9) }}",
    "a wide field": "{{ '%999999999d' | format(1) }}",
    "a wide field of format": "{{ '{:>999999999}'.format(1) }}",
    "a field as wide as another": "{{ '{:>{w}}'.format(1, w='999999999') }}",
    "a percent field": "{{ '%999999999d' % 1 }}",
    "padding": "{{ 'a'.ljust(10 ** 9) }}",
    "a centred word": "{{ 'a' | center(999999999) }}",
    "an indent": "{{ {'a': 1} | tojson(indent=999999999) }}",
    "a replacement": "{% set x = 'a' * 100000 %}{{ x.replace('a', x) }}",
    "a replacement by a filter": "{% set x = 'a' * 100000 %}{{ x | replace('a', x) }}",
    "joining by much": "{% set x = 'a' * 100000 %}{{ x.join(x) }}",
    "batches": "{{ [1] | batch(999999999, 0) | list }}",
    "much output": "{% set x = 'a' * 1000000 %}{% for i in range(99999) %}{{ x }}{% endfor %}",
    "much output into a block": "{% set x = 'a' * 1000000 %}{% set y %}{% for i in range(99999) %}{{ x }}{% endfor %}"
    "{% endset %}",
    "a filter mapped over much": "{{ ([range(99999) | list] * 99) | map('join') | map('length') | list }}",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_that_a_template_that_does_not_end_or_grows_is_stopped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "MOST_SECONDS", 0.4)
    template = ChatTemplate(ENDLESS[name], {})
    began = time.thread_time()
    with pytest.raises(DataError, match=r"was stopped: it .*\. Choose another template|refuses the row"):
        template.render(TURNS)
    assert time.thread_time() - began < 3


def test_that_a_template_that_was_stopped_twice_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "MOST_TURNS", 10_000)
    template = ChatTemplate(ENDLESS["loops in loops"], {})
    for _ in range(2):
        with pytest.raises(DataError, match="was stopped: it does not come to an end"):
            template.render(TURNS)
    with pytest.raises(DataError, match="not tried any more"):
        template.render(TURNS)


def test_that_the_time_of_a_rendering_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "MOST_SECONDS", 0.05)
    slow = "{% set x = 'a' * 3000000 %}{% for i in range(99999) %}{% if x.find('b') > 0 %}{% endif %}{% endfor %}"
    with pytest.raises(DataError, match=r"was stopped: it is not done after 0\.05 seconds"):
        ChatTemplate(slow, {}).render(TURNS)


@pytest.mark.parametrize(("turns", "characters"), [(20_000, 1_000), (1, 30_000_000)])
def test_that_long_conversations_stay_within_the_bounds(turns: int, characters: int) -> None:
    talk = (Turn("user", "a" * characters), Turn("assistant", "b" * characters)) * turns
    assert len(ChatTemplate(CHATML_TEMPLATE, {}).render(talk)) > 2 * turns * characters


def test_that_operators_filters_and_attributes_mean_what_they_mean_in_transformers(theirs: Any) -> None:
    text = """{%- set first = {'role': 'x', 'items': 3} -%}{{ first.role ~ 1 ~ none ~ [1, 'a'] }}|{{ 1 + 2 + 3.5 }}|
    {{- [1] + [2] + [3] }}|{{ '%s of %d' % ('a', 2) }}|{{ '{:>5}'.format('b') }}|{{ 'a' * 3 }}|{{ 2 ** 10 }}|
    {{- first.missing is defined }}|{{ messages[0].missing is none }}|{{ messages[0].content.split(' ') | join('-') }}|
    {%- for m in messages -%}{{ loop.index }}{{ loop.last }}{{ loop.previtem.role if loop.previtem }}{%- endfor -%}|
    {{- messages[::-1] | map(attribute='role') | list }}|{{ ('a', 'b') | first }}|{{ 7 % 4 }}|{{ (1, 2) == (1, 2) }}|
    {%- set a, b = 1, 2 -%}{{ a + b }}|{{ messages | selectattr('role', 'equalto', 'user') | list | length }}|
    {{- {'b': 1, 'a': [1, {'c': none}]} | tojson(indent=2) }}|{{ 'ab' | upper | indent(2) | trim }}"""
    expected = theirs.apply_chat_template(
        [{"role": turn.role, "content": turn.content} for turn in TURNS], chat_template=text, tokenize=False
    )
    assert ChatTemplate(text, theirs.special_tokens_map).render(TURNS) == expected


def test_that_messages_tools_and_reasoning_reach_the_template_as_in_transformers(theirs: Any) -> None:
    text = "{{ tools | tojson }}{% for m in messages %}{{ m.items() | list | sort | tojson }}{% endfor %}"
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    turns = (
        Turn("user", "a", {"name": "Ann"}),
        Turn("assistant", "", {"tool_calls": [call], "content": None, "thinking": "Hm"}),
        Turn("tool", "4", {"tool_call_id": "c1"}),
    )
    messages = [{"role": turn.role, "content": turn.content, **turn.extra} for turn in turns]
    for given in (tools, None):
        expected = theirs.apply_chat_template(messages, tools=given, chat_template=text, tokenize=False)
        assert ChatTemplate(text, {}).render(turns, tools=given or ()) == expected


def test_that_arguments_become_json_text_for_a_template_that_takes_no_object() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": "é"}}}
    turns = (Turn("user", "a"), Turn("assistant", "", {"tool_calls": [call]}))
    loop = "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ WRITE }}{% endfor %}{% endfor %}"
    as_text = ChatTemplate(loop.replace("WRITE", "c.function.name + ' ' + c.function.arguments"), {})
    as_object = ChatTemplate(loop.replace("WRITE", "c.function.arguments | tojson"), {})
    assert as_text.render(turns) == 'f {"x": "é"}'
    assert as_object.render(turns) == '{"x": "é"}'
    assert as_text.reads_calls and not as_text.reads_tools


def test_that_a_mistake_in_a_template_is_told_with_its_line() -> None:
    with pytest.raises(DataError, match="error at line 2"):
        ChatTemplate("{% for m in messages %}\n{% endif %}", {})


def test_that_a_dated_template_is_known(tmp_path: Path) -> None:
    template = ChatTemplate("{{ strftime_now('%Y') }}", {})
    assert template.names_today
    assert template.render(TURNS).isdigit()
