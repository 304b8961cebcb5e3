"""A learnt skeleton gives the spans of the long way, or steps aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.rendering import Renderer
from remote_agent.dataset.skeleton import learn_skeleton
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, GENERATION_TEMPLATE, tiny_tokenizer_files

TRIMS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
SHOUTS = "{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}"
GREETS_THE_LONG = (
    "{% for m in messages %}{% if m.content | length > 9 %}Long. {% endif %}{{ m.content }}<|im_end|>{% endfor %}"
)
CONTENTS = ("Hello.", "", " pad ", "a long content it is", "<|im_end|>", "\ue000", "x\ue001\ue000", "Hello.Hello.")


@pytest.mark.parametrize("template", [CHATML_TEMPLATE, GENERATION_TEMPLATE, TRIMS, GREETS_THE_LONG])
def test_that_the_short_way_and_the_long_way_give_the_same_spans(tmp_path: Path, template: str) -> None:
    model = load_tokenizer(tiny_tokenizer_files(tmp_path), template)
    warm = Renderer(model)
    warm.render(Conversation((Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d"))))
    for first in CONTENTS:
        for second in CONTENTS:
            turns = (Turn("user", first), Turn("assistant", second), Turn("user", second), Turn("assistant", first))
            assert warm.render(Conversation(turns)) == Renderer(model).render(Conversation(turns))


def test_that_a_template_that_changes_contents_has_no_skeleton() -> None:
    turns = [Turn("user", "a")]
    template = ChatTemplate(SHOUTS, {})
    assert learn_skeleton(template, turns, template.render(turns), []) is None
    chatml = ChatTemplate(CHATML_TEMPLATE, {})
    assert learn_skeleton(chatml, turns, chatml.render(turns), []) is not None


OPAQUE = (
    CHATML_TEMPLATE,
    GENERATION_TEMPLATE,
    "{% for m in messages[1:] %}{{ m.role ~ m.content }}{% endfor %}{{ messages | length }}",
    "{{ messages[0]['content'] }}{% if messages[-1].role == 'user' %}x{% endif %}",
    "{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ m.content }}{% endfor %}",
)
NOT_OPAQUE = (
    TRIMS,
    SHOUTS,
    GREETS_THE_LONG,
    "{% for m in messages %}{{ m | tojson }}{% endfor %}",
    "{% for m in messages %}{% set c = m.content %}{{ c }}{% endfor %}",
    "{% for m in messages %}{% if 'think' in m.content %}x{% endif %}{{ m.content }}{% endfor %}",
    "{% for m in messages if m.content %}{{ m.content }}{% endfor %}",
    "{% for m in messages %}{{ m.content if m.content else 'x' }}{% endfor %}",
    "{% for m in messages %}{{ m.content[:3] }}{% endfor %}",
    "{% for m in messages %}{{ m.content.strip() }}{% endfor %}",
    "{% for m in messages %}{{ (m.content + 'x') | length }}{% endfor %}",
    "{% for m in messages %}{{ m['con' + 'tent'] }}{% endfor %}",
    "{% for m in messages %}{{ m.get('content') | upper }}{% endfor %}",
    "{% for m in messages %}{{ loop.previtem.content if loop.previtem }}{% endfor %}",
    "{% for m in messages %}{{ loop.changed(m) }}{% endfor %}",
    "{% for m in messages | reverse %}{{ m.content }}{% endfor %}",
    "{% for m in messages %}{% filter upper %}{{ m.content }}{% endfilter %}{% endfor %}",
    "{% for m in messages %}{% set c %}{{ m.content }}{% endset %}{{ c | length }}{% endfor %}",
    "{% for k, v in messages[0].items() %}{{ v | upper }}{% endfor %}",
    "{% macro f(m) %}{{ m.content }}{% endmacro %}{% for m in messages %}{{ f(m) | upper }}{% endfor %}",
    "{% set them = messages %}{% for m in them %}{{ m.content | upper }}{% endfor %}",
    "{{ messages }}",
    "{% for m in messages %}{{ loop | attr('previtem') }}{% endfor %}",
    "{{ messages | map(attribute='content') | join }}",
    "{{ strftime_now('%Y') }}{% for m in messages %}{{ m.content }}{% endfor %}",
)


@pytest.mark.parametrize("text", OPAQUE)
def test_that_a_template_that_only_writes_contents_is_known(text: str) -> None:
    assert ChatTemplate(text, {}).is_opaque


@pytest.mark.parametrize("text", NOT_OPAQUE)
def test_that_a_template_that_looks_into_contents_is_asked_for_each_row(text: str) -> None:
    assert not ChatTemplate(text, {}).is_opaque


def test_that_markers_around_more_than_one_turn_give_no_skeleton(tmp_path: Path) -> None:
    around = "{% generation %}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{% endgeneration %}"
    template = ChatTemplate(around, {})
    turns = [Turn("assistant", "a"), Turn("user", "b")]
    text, spans = template.render_with_spans(turns)
    assert template.is_opaque and learn_skeleton(template, turns, text, spans) is None
    model = load_tokenizer(tiny_tokenizer_files(tmp_path), around)
    renderer = Renderer(model)
    for content in ("b", "longer"):
        rendered = renderer.render(Conversation((Turn("assistant", "a"), Turn("user", content))))
        assert rendered.spans == ((0, len(rendered.text)),)
