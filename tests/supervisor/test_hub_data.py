"""Rows of a Hub data set on the node: streamed by the real library from a small Hub on loopback, pinned, resumable."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent_call import Answer, agent_call
from tests.support.hub_server import COMMIT, HubModel, HubServer, hub_for_test

REPO = "org/rows"
TRAIN = [{"instruction": f"What is {number}?", "output": f"A number 😀 {number}."} for number in range(700)]
TEST = [{"instruction": "Who?", "output": "You."}]


def jsonl(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def rows() -> HubModel:
    return HubModel({"data/train.jsonl": jsonl(TRAIN), "data/test.jsonl": jsonl(TEST), "README.md": b"# rows"})


@pytest.fixture
def hub(rows: HubModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_for_test({REPO: rows}, tmp_path / "hf", monkeypatch) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def ask(home: Path, **wanted: Any) -> Answer:
    return agent_call("hub", home, {"what": "data", "python": sys.executable, "repo": REPO, **wanted})


def lines_of(answer: Answer) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(answer.result["path"]).read_text(encoding="utf-8").splitlines()]


def test_that_a_split_is_streamed_into_a_file_and_pinned_to_its_commit(home: Path, hub: HubServer) -> None:
    answer = ask(home, revision="main", split="train")
    assert (answer.result["revision"], answer.result["rows"]) == (COMMIT, 700)
    assert lines_of(answer) == TRAIN
    asked = len(hub.asked)
    again = ask(home, revision=COMMIT, split="train")
    assert again.result == answer.result
    assert len(hub.asked) == asked, "what lies on the node is not asked for again"
    assert lines_of(ask(home, revision=COMMIT, split="test")) == TEST


def test_that_a_cap_ends_the_stream_and_what_an_interrupted_call_left_is_gone_on_from(
    home: Path, hub: HubServer
) -> None:
    path = Path(ask(home, revision=COMMIT, split="train", max_rows=300).result["path"])
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == TRAIN[:300]
    raw = path.read_bytes().splitlines(keepends=True)
    path.unlink()
    (path.parent / ".rows.partial").write_bytes(b"".join(raw[:120]) + raw[120][:7])
    assert lines_of(ask(home, revision=COMMIT, split="train", max_rows=300)) == TRAIN[:300]


def test_that_an_unknown_split_names_those_that_there_are(home: Path, hub: HubServer) -> None:
    sentence = ask(home, revision=COMMIT, split="validation").error
    assert "validation" in sentence and "train" in sentence and "test" in sentence


def test_that_a_data_set_that_is_not_there_is_a_sentence(home: Path, hub: HubServer) -> None:
    answer = ask(home, repo="org/none", split="train")
    assert answer.kind == "not_found" and "There is no data set org/none" in answer.error
