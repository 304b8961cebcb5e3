"""Masks equal those that TRL's training templates give through transformers, with markers and without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import trl
from numpy.typing import NDArray

from remote_agent.contract.data_spec import DataSpec, SourceSpec
from remote_agent.dataset.encoding import MASKED, EncodedRow, RowEncoder
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes import row_shape
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.real_model import real_inputs
from tests.support.tiny import tiny_tokenizer_files

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
MARKERS = {
    "llama3": ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    "qwen2_5": (),
    "qwen3": (),
    "gemma": ("<bos>", "<start_of_turn>", "<end_of_turn>"),
    "gemma3": ("<bos>", "<start_of_turn>", "<end_of_turn>"),
    "phi3": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    "phi3_5": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
}
"""The special tokens of each family that the tiny tokenizer does not have yet."""

CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo", "days": 2}}}
CLOCK = {"type": "function", "function": {"name": "clock", "arguments": {}}}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "It", "parameters": PARAMETERS}}]


class Talk(NamedTuple):
    """Messages and the functions that may be called in them."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None


def system(content: str) -> dict[str, Any]:
    return {"role": "system", "content": content}


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def says(content: str | None, **extra: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **extra}


def result(content: str) -> dict[str, Any]:
    return {"role": "tool", "name": "weather", "content": content}


TALKS = {
    "several turns": Talk([user("One?"), says("First."), user("Two?"), says("Second.")]),
    "a system turn": Talk([system("Be brief."), user("One?"), says("First."), user("Two?"), says("👩‍👩‍👧 naïve")]),
    "white space": Talk([user(" One? "), says(" First.\n"), user("Two?"), says("")]),
    "two answers": Talk([user("One?"), says("First."), says("More.")]),
    "text like markers": Talk([user("<|im_start|>assistant\nFirst.<|im_end|>"), says("First."), user("a"), says("b")]),
    "calls": Talk(
        [
            user("Now?"), says("", tool_calls=[CALL]), result('{"t": 4}'), says("Cold."), user("And then?"),
            says("Let me see.", tool_calls=[CALL, CLOCK]), result("5"), result("6"), says("Fine."),
        ],
        TOOLS,
    ),
    "calls and a system turn": Talk(
        [system("Be brief."), user("Now?"), says("", tool_calls=[CALL]), result("4"), says("Cold.")], TOOLS
    ),
    "reasoning": Talk(
        [user("One?"), says("First.", reasoning_content="Hm."), user("Two?"), says("B.", reasoning_content="Ha.")]
    ),
    "reasoning in the content": Talk(
        [user("One?"), says("<think>\nHm.\n</think>\n\nFirst."), user("2?"), says("<think>\nHa.\n</think>\n\nB.")]
    ),
    "reasoning before calls": Talk(
        [
            user("Now?"), says("", tool_calls=[CALL], reasoning_content="I ask."), result("4"),
            says("Cold.", reasoning_content="So."), user("Thanks."), says("Welcome."),
        ],
        TOOLS,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from tokenizers import AddedToken, Tokenizer

    made = {}
    for name, markers in MARKERS.items():
        made[name] = tiny_tokenizer_files(tmp_path_factory.mktemp(name), chat_template="")
        tokenizer = Tokenizer.from_file(str(made[name] / "tokenizer.json"))
        tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in markers])
        tokenizer.save(str(made[name] / "tokenizer.json"))
    return made


def expected(theirs: Any, talk: Talk, template: str) -> tuple[list[int], NDArray[np.bool_]]:
    made = theirs.apply_chat_template(
        talk.messages,
        tools=talk.tools,
        chat_template=template,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    return made["input_ids"], np.array(made["assistant_masks"], dtype=bool)


def encoded(folder: Path, talk: Talk, template: str, spec: DataSpec | None = None) -> EncodedRow:
    fields: dict[str, Any] = {"messages": talk.messages, "tools": talk.tools}
    row = Row(0, "rows.jsonl", 1, fields)
    spec = spec or DataSpec(max_length=100_000)
    encoder = RowEncoder(load_tokenizer(folder, template), spec)
    ((found,),) = encoder.encode([row_shape([row], SourceSpec(), spec).example(row)], strict=True)
    return found


def without_markers(template: str) -> str:
    """Return the template with the markers replaced by a block that does nothing, white space controls kept."""
    return re.sub(
        r"\{%(-?)\s*(end)?generation\s*(-?)%\}",
        lambda found: f"{{%{found[1]} {'endif' if found[2] else 'if true'} {found[3]}%}}",
        template,
    )


def refused(theirs: Any, talk: Talk, template: str) -> bool:
    """Say whether the template takes no such conversation, as Gemma takes no calls."""
    from jinja2 import TemplateError

    try:
        theirs.apply_chat_template(talk.messages, tools=talk.tools, chat_template=template, tokenize=False)
    except TemplateError:
        return True
    return False


@pytest.mark.parametrize("name", MARKERS)
def test_that_masks_equal_those_of_the_training_template(folders: dict[str, Path], name: str) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folders[name], model_max_length=100_000)
    template = (TEMPLATES / f"{name}_training.jinja").read_text(encoding="utf-8")
    taken = {title: talk for title, talk in TALKS.items() if not refused(theirs, talk, template)}
    assert {"several turns", "white space", "reasoning"} <= taken.keys()
    for title, talk in taken.items():
        ids, mask = expected(theirs, talk, template)
        ours = encoded(folders[name], talk, template)
        assert ours.ids.tolist() == ids, title
        assert ((ours.labels != MASKED) == mask).all(), title
        assert mask.any(), title


@pytest.mark.parametrize("name", MARKERS)
def test_that_prefixes_give_the_same_mask_but_for_what_follows_the_end_of_turn(
    folders: dict[str, Path], name: str
) -> None:
    """Between the ways lies what no model says: the line break around a turn that TRL counts in, and Phi's end of text.

    A model stops at its end of turn, so that nothing after it is ever asked of it; and the line break after a header is
    written by whoever asks.
    """
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folders[name], model_max_length=100_000)
    template = (TEMPLATES / f"{name}_training.jinja").read_text(encoding="utf-8")
    for title, talk in TALKS.items():
        if refused(theirs, talk, template):
            continue
        ids, mask = expected(theirs, talk, template)
        ours = encoded(folders[name], talk, without_markers(template))
        assert ours.ids.tolist() == ids, title
        found = ours.labels != MASKED
        assert not (found & ~mask).any(), title
        between = theirs.convert_ids_to_tokens(ours.ids[mask & ~found].tolist())
        allowed = {"llama3": set(), "phi3": {"Ċ", "<|im_end|>"}, "phi3_5": {"Ċ", "<|im_end|>"}}.get(name, {"Ċ"})
        assert set(between) <= allowed, title
        # At the end of each turn at most a line break and an end of text; before one at most a line break.
        assert len(between) <= 2 * sum(turn["role"] == "assistant" for turn in talk.messages), title


QWEN3_TRAINED = {
    "reasoning": ["First.<|im_end|>", "<think>\nHa.\n</think>\n\nB.<|im_end|>"],
    "reasoning in the content": ["First.<|im_end|>", "<think>\nHa.\n</think>\n\nB.<|im_end|>"],
    "reasoning before calls": [
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo", "days": 2}}\n</tool_call><|im_end|>',
        "Cold.<|im_end|>",
        "<think>\n\n</think>\n\nWelcome.<|im_end|>",
    ],
}


@pytest.mark.parametrize("title", QWEN3_TRAINED)
def test_that_reasoning_a_template_drops_from_earlier_turns_leaves_their_words_trained(
    folders: dict[str, Path], title: str
) -> None:
    template = (TEMPLATES / "qwen3.jinja").read_text(encoding="utf-8")
    found = encoded(folders["qwen3"], TALKS[title], template)
    assert trained_texts(folders["qwen3"], found) == QWEN3_TRAINED[title]


MISTRAL = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system = messages[0].content + '\n\n' %}{% else %}{% set loop_messages = messages %}{% set system = '' %}"
    "{% endif %}{% for m in loop_messages %}{% if m.role == 'user' %}"
    "{{ '[INST] ' + (system if loop.first else '') + m.content + '[/INST]' }}"
    "{% elif m.tool_calls %}{{ '[TOOL_CALLS] [' }}{% for call in m.tool_calls %}"
    "{{ {'name': call.function.name, 'arguments': call.function.arguments, 'id': call.id} | tojson }}"
    "{% if not loop.last %}{{ ', ' }}{% endif %}{% endfor %}{{ ']' + eos_token }}"
    "{% elif m.role == 'tool' %}{{ '[TOOL_RESULTS] ' + m.content + '[/TOOL_RESULTS]' }}"
    "{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}"
)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "messages", "trained"),
    [
        (CHATML, TALKS["several turns"].messages, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (CHATML, TALKS["a system turn"].messages, ["First.<|im_end|>", "👩‍👩‍👧 naïve<|im_end|>"]),
        (CHATML, TALKS["two answers"].messages, ["First.<|im_end|>", "More.<|im_end|>"]),
        (MISTRAL, TALKS["several turns"].messages, ["First.<|im_end|>", "Second.<|im_end|>"]),
        (MISTRAL, TALKS["a system turn"].messages, ["First.<|im_end|>", "👩‍👩‍👧 naïve<|im_end|>"]),
        (
            MISTRAL,
            [user("Now?"), says(None, tool_calls=[{"id": "000000001", **CALL}]), result("4"), says("Cold.")],
            [
                '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Oslo", "days": 2}, '
                '"id": "000000001"}]<|im_end|>',
                "Cold.<|im_end|>",
            ],
        ),
    ],
)
def test_that_chatml_and_mistral_train_what_a_person_would_mark(
    folders: dict[str, Path], template: str, messages: list[dict[str, Any]], trained: list[str]
) -> None:
    found = encoded(folders["qwen2_5"], Talk(messages), template)
    assert trained_texts(folders["qwen2_5"], found) == trained


def trained_texts(folder: Path, row: EncodedRow) -> list[str]:
    tokenizer = load_tokenizer(folder).tokenizer
    trained = np.flatnonzero(row.labels != MASKED)
    runs = np.split(row.ids[trained], np.flatnonzero(np.diff(trained) > 1) + 1)
    return [tokenizer.decode(run.tolist(), skip_special_tokens=False) for run in runs]


@pytest.mark.slow
def test_that_the_real_tokenizer_gives_the_same_masks(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    model = real_inputs().model
    for name, markers in MARKERS.items():
        theirs = AutoTokenizer.from_pretrained(model, model_max_length=100_000)
        theirs.add_special_tokens({"additional_special_tokens": list(markers)})
        folder = tmp_path / name
        theirs.save_pretrained(folder)
        template = (TEMPLATES / f"{name}_training.jinja").read_text(encoding="utf-8")
        for title, talk in TALKS.items():
            if refused(theirs, talk, template):
                continue
            ids, mask = expected(theirs, talk, template)
            ours = encoded(folder, talk, template)
            assert ours.ids.tolist() == ids, (name, title)
            assert ((ours.labels != MASKED) == mask).all(), (name, title)
