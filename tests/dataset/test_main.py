"""The child process answers one request with frames alone, and every failure is a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.data_report import DataReport, ModelReport, PreparedData
from remote_agent.contract.frames import Frame, FrameReader, encode_frame
from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.contract.wire import from_wire
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.data_inspection import inspect_data
from remote_agent.dataset.inspection_inputs import Inputs
from tests.support.tiny import tiny_rows, tiny_tokenizer_files

ROOT = Path(__file__).parents[2]
ENTRY = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from remote_agent.dataset.__main__ import main; sys.exit(main())"
)
JOB = JobSpec(data=DataSpec(max_length=200))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer_files(tmp_path_factory.mktemp("model"))


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", ENTRY],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def request(arguments: dict[str, Any]) -> bytes:
    return encode_frame(Frame({"frame": "request", "arguments": arguments}))


def ask(arguments: dict[str, Any]) -> list[Frame]:
    with start() as child:
        output, errors = child.communicate(request(arguments), timeout=60)
    frames = FrameReader().feed(output)
    assert frames, errors.decode()
    assert b"Traceback" not in errors, errors.decode()
    assert child.returncode == (0 if frames[-1].kind == "result" else 1)
    assert all(frame.kind in ("progress", "file") for frame in frames[:-1])
    return frames


def arguments(what: str, model: Path, data: Path, **more: Any) -> dict[str, Any]:
    return {
        "what": what, "job": spec_to_dict(JOB), "model_path": str(model), "data_paths": [str(data)],
        "held_out_path": "", **more,
    }  # fmt: skip


def test_that_data_is_prepared_with_progress(model: Path, tmp_path: Path) -> None:
    frames = ask(arguments("prepare", model, tiny_rows(tmp_path), data_root=str(tmp_path / "data")))
    value = frames[-1].head["value"]
    prepared = from_wire(PreparedData, value["prepared"])
    assert value["data_folder"] == str(tmp_path / "data" / prepared.key)
    assert (Path(value["data_folder"]) / "train.ids.npy").is_file()
    progress = [frame.head for frame in frames if frame.kind == "progress"]
    assert progress[-1] == {"frame": "progress", "phase": "data", "done": 40, "total": 40, "unit": "rows"}


def test_that_a_report_travels_as_it_is_made_in_process_and_is_kept(model: Path, tmp_path: Path) -> None:
    data, cache = tiny_rows(tmp_path), tmp_path / "inspected"
    frames = ask(arguments("data", model, data, cache_root=str(cache)))
    report = from_wire(DataReport, frames[-1].head["value"]["report"])
    assert report == inspect_data(Inputs(JOB, model, DataPaths((data,))))
    assert [frame.head["done"] for frame in frames if frame.head.get("phase") == "data"][-1] == 40
    (again,) = ask(arguments("data", model, data, cache_root=str(cache)))
    assert again.head["value"] == frames[-1].head["value"]


def test_that_a_model_sends_its_small_files_before_the_result(model: Path) -> None:
    frames = ask({"what": "model", "path": str(model), "with_files": True})
    assert from_wire(ModelReport, frames[-1].head["value"]["model"]).has_tokenizer
    sent: dict[str, bytes] = {}
    for frame in frames[:-1]:
        assert frame.kind == "file"
        name = frame.head["name"]
        assert frame.head["offset"] == len(sent.get(name, b""))
        sent[name] = sent.get(name, b"") + frame.body
    assert sent == {
        name: (model / name).read_bytes()
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
    }


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"what": "poem"}, "bad_request", "names nothing"),
        ({"data_paths": [""]}, "bad_request", "No training data is chosen"),
        ({"data_paths": ["/nowhere/rows.json"]}, "not_found", "no such file or folder"),
        ({"model_path": "/nowhere"}, "not_found", "no tokenizer.json"),
        ({"job": {"seeed": 1}}, "bad_request", "did you mean seed"),
        ({"data_paths": "rows.json"}, "bad_request", "No training data is chosen"),
        ({"what": "session"}, "bad_request", "No folder to keep things in"),
    ],
)
def test_that_a_request_that_cannot_be_met_is_answered_by_a_sentence(
    model: Path, tmp_path: Path, change: dict[str, Any], kind: str, words: str
) -> None:
    frame = ask({**arguments("data", model, tiny_rows(tmp_path)), **change})[-1]
    assert (frame.kind, frame.head["kind"]) == ("error", kind)
    assert words in frame.head["sentence"]


def test_that_a_place_that_cannot_be_written_is_named(model: Path, tmp_path: Path) -> None:
    data = tiny_rows(tmp_path)
    frame = ask(arguments("prepare", model, data, data_root=str(data / "below a file")))[-1]
    assert frame.head["kind"] == "failed"
    assert "below a file" in frame.head["sentence"]


@pytest.mark.parametrize("way", ["cancel", "terminate"])
def test_that_a_cancel_or_a_terminate_ends_the_work_and_leaves_nothing(model: Path, tmp_path: Path, way: str) -> None:
    path = tmp_path / "many.jsonl"
    row = json.dumps({"prompt": "What does the river hear? " * 40, "completion": "A song."})
    path.write_text(f"{row}\n" * 40_000, encoding="utf-8")
    with start() as child:
        assert child.stdin and child.stdout
        child.stdin.write(request(arguments("prepare", model, path, data_root=str(tmp_path / "data"))))
        child.stdin.flush()
        reader = FrameReader()
        frames: list[Frame] = []
        while not any(frame.head.get("total") for frame in frames):
            frames += reader.feed(os.read(child.stdout.fileno(), 1 << 16))
        if way == "cancel":
            child.stdin.write(encode_frame(Frame({"frame": "cancel"})))
            child.stdin.flush()
        else:
            child.send_signal(signal.SIGTERM)
        frames += reader.feed(child.stdout.read())
        child.wait(timeout=60)
    assert frames[-1].head == {"frame": "error", "sentence": "Cancelled.", "kind": "interrupted"}
    assert list((tmp_path / "data").iterdir()) == []


def test_that_bytes_that_are_no_frame_are_answered_by_a_sentence() -> None:
    with start() as child:
        output, _ = child.communicate(b"GET / HTTP/1.1\r\n\r\n", timeout=60)
    (frame,) = FrameReader().feed(output)
    assert frame.head["kind"] == "bad_request"
    assert child.returncode == 2


def test_that_the_child_starts_without_heavy_imports() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import remote_agent.dataset.__main__, "
        "remote_agent.dataset.prepare, remote_agent.dataset.data_inspection; "
        "print([name for name in ('torch', 'transformers', 'pyarrow', 'safetensors') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
