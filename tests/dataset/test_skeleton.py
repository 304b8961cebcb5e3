"""A learnt skeleton gives the spans of the long way, or steps aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.dataset.chat_template import ChatTemplate
from remote_agent.dataset.conversation import Conversation, Turn
from remote_agent.dataset.rendering import Renderer
from remote_agent.dataset.skeleton import learn_skeleton
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

TRIMS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
SHOUTS = "{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}"
GREETS_THE_LONG = (
    "{% for m in messages %}{% if m.content | length > 9 %}Long. {% endif %}{{ m.content }}<|im_end|>{% endfor %}"
)
CONTENTS = ("Hello.", "", " pad ", "a long content it is", "<|im_end|>", "\ue000", "x\ue001\ue000", "Hello.Hello.")


@pytest.mark.parametrize("template", [CHATML_TEMPLATE, TRIMS, GREETS_THE_LONG])
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
