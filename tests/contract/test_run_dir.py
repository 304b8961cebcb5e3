"""Names in a run directory: what we make we can read, and what is foreign is refused."""

import pytest

from remote_agent.contract import run_dir


def test_that_a_new_id_is_a_run_id() -> None:
    made = run_dir.run_id("261124-093000", bytes(range(250, 256)))
    assert made.startswith("r-261124-093000-") and run_dir.is_run_id(made)


@pytest.mark.parametrize(
    "text", ["", "..", "r-1", "r-261124-093000-abc/..", "r-261124-093000-abcdef\n", "R-261124-093000-abcdef"]
)
def test_that_nothing_else_is_a_run_id(text: str) -> None:
    assert not run_dir.is_run_id(text)


def test_that_segment_names_come_back() -> None:
    assert run_dir.parse_segment_file(run_dir.segment_file("gpu.node-1", 12)) == ("gpu.node-1", 12)


@pytest.mark.parametrize(
    "name", ["../x.000001.jsonl", "rank0.1.jsonl", "rank0.000001.jsonl\n", "x y.000001.jsonl", ".jsonl"]
)
def test_that_foreign_files_are_no_segments(name: str) -> None:
    assert run_dir.parse_segment_file(name) is None


def test_that_only_a_committed_folder_has_a_step() -> None:
    assert run_dir.checkpoint_step(run_dir.checkpoint_folder(40)) == 40
    assert run_dir.checkpoint_step(run_dir.partial_checkpoint_folder(40)) is None
    assert run_dir.checkpoint_step("step-40.old") is None


def test_that_dots_are_no_plain_names() -> None:
    assert not run_dir.is_plain_name("..") and not run_dir.is_plain_name(".") and not run_dir.is_plain_name("")
