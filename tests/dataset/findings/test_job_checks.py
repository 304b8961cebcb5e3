"""What job and tokenizer show without looking at a row: markers, templates, padding, length of the run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.dataset.findings.job_checks import fitting_templates, job_findings, markers_of, split_markers
from remote_agent.dataset.tokenizer_files import ModelTokenizer, load_tokenizer
from tests.dataset.findings.looking import JOB, chat, look, tiny
from tests.support.tiny import CHATML_TEMPLATE, tiny_tokenizer_files

LLAMA = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>"
    "{{ m.content }}<|eot_id|>{% endfor %}"
)
MISTRAL = (
    "{% for m in messages %}{{ '[INST] ' + m['content'] + ' [/INST]' if m.role == 'user' else m['content'] + '</s>' }}"
    "{% endfor %}"
)


def kinds(job: JobSpec, model: ModelTokenizer, own: str | None = None, unused: tuple[str, ...] = ()) -> dict[str, str]:
    return {one.kind: one.detail for one in job_findings(job, model, unused, own)}


@pytest.mark.parametrize(
    ("template", "markers"),
    [
        (CHATML_TEMPLATE, ("<|im_start|>", "<|im_end|>")),
        (LLAMA, ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
        (MISTRAL, ("[INST]", "[/INST]", "</s>")),
        ("{{ '<start_of_turn>' + role }}<end_of_turn>", ("<start_of_turn>", "<end_of_turn>")),
        ("{% for m in messages[1:] %}{{ m['content'] }}{% if a < b > c %}{% endif %}{{ x|tojson }}{% endfor %}", ()),
    ],
)
def test_that_the_markers_of_a_template_are_read_from_its_text(template: str, markers: tuple[str, ...]) -> None:
    assert markers_of(template) == markers


def test_that_markers_that_the_tokenizer_cuts_are_found_until_they_are_added(tmp_path: Path) -> None:
    folder = tiny_tokenizer_files(tmp_path, LLAMA)
    model = load_tokenizer(folder)
    assert kinds(JOB, model)["split_markers"] == "<|start_header_id|>, <|end_header_id|>, <|eot_id|>"
    added = load_tokenizer(folder, added_tokens=split_markers(LLAMA, model))
    assert "split_markers" not in kinds(JOB, added)


def test_that_a_template_of_whole_markers_has_only_the_note_on_padding(model: ModelTokenizer) -> None:
    assert kinds(JOB, model) == {"pad_is_end": "<|im_end|>"}
    padded = dataclasses.replace(model, special_tokens={**model.special_tokens, "pad_token": "<|endoftext|>"})
    assert kinds(JOB, padded) == {}


def test_that_a_template_other_than_the_models_own_is_noted(model: ModelTokenizer) -> None:
    job = with_value(JOB, "data.chat_template", "builtin:chatml")
    assert kinds(job, model, own=CHATML_TEMPLATE)["foreign_template"] == "chatml and not the model's own"
    assert "foreign_template" not in kinds(job, model, own="")
    assert "foreign_template" not in kinds(job, model, own=None)
    assert "foreign_template" not in kinds(JOB, model, own=CHATML_TEMPLATE)
    same = with_value(JOB, "data.chat_template", CHATML_TEMPLATE)
    assert "foreign_template" not in kinds(same, model, own=CHATML_TEMPLATE)


def test_that_a_template_that_writes_the_date_is_found(tmp_path: Path) -> None:
    assert "dated_template" in kinds(JOB, tiny(tmp_path, CHATML_TEMPLATE + "{{ strftime_now('%d') }}"))


def test_that_a_tokenizer_without_template_and_end_is_found(tmp_path: Path) -> None:
    plain = tiny(tmp_path, "")
    assert "no_end_token" not in kinds(JOB, plain)
    assert "no_end_token" in kinds(JOB, dataclasses.replace(plain, eos_token_id=-1))


def test_that_unused_columns_are_named(model: ModelTokenizer) -> None:
    assert kinds(JOB, model, unused=("id", "url"))["unused_columns"] == "'id', 'url'"


def test_that_the_template_offered_first_needs_the_fewest_new_tokens(tmp_path: Path) -> None:
    offered = fitting_templates(tiny(tmp_path, LLAMA))
    assert offered[0] == ("builtin:chatml", ())
    assert [len(added) for _, added in offered] == sorted(len(added) for _, added in offered)


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"batch.epochs": 0.5}, "unseen_rows", "about 20 of 40 rows are not trained on"),
        ({"batch.max_steps": 5}, "unseen_rows", "about 35 of 40 rows are not trained on"),
        ({"batch.max_steps": 400}, "many_epochs", "Each of 40 rows is trained on about 10.0 times"),
        ({"batch.epochs": 8.0}, "many_epochs", "Each of 40 rows is trained on about 8.0 times"),
        ({"batch.epochs": 4.0}, "", ""),
        ({"batch.epochs": 1.0}, "", ""),
        ({"batch.epochs": 0.5, "batch.max_steps": 40}, "", ""),
    ],
)
def test_that_a_run_too_short_or_too_long_for_its_rows_is_found(
    model: ModelTokenizer, changes: dict[str, float], kind: str, said: str
) -> None:
    job = with_value(JOB, "data.packing", False)
    for path, value in changes.items():
        job = with_value(job, path, value)
    rows = [chat(f"What is {at}?", "A number.") for at in range(44)]
    found = look(rows, model, job, kinds={"unseen_rows", "many_epochs"}, held_out=range(4))
    assert [*found] == ([kind] if kind else [])
    if kind:
        assert said in found[kind].detail


def test_that_packing_is_counted_in_how_far_a_run_gets(model: ModelTokenizer) -> None:
    rows = [chat(f"What is {at}?", "A number.") for at in range(40)]
    job = with_value(JOB, "batch.max_steps", 12)
    assert "unseen_rows" not in look(rows, model, job)
    assert "unseen_rows" in look(rows, model, with_value(job, "data.packing", False))
