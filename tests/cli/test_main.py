"""The command line: what it answers, for people and for programs, and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.events import AttemptStarted, StateChanged
from remote_agent.contract.job_spec import JobSpec, with_value
from remote_agent.contract.memory import state_bytes
from remote_agent.contract.schedule import Horizon, lr_at
from studio import places
from studio.cli.main import main
from studio.job_file import write_job_file
from studio.session.reach import LOCAL_NODE
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.supervisor.conftest import Node
from tests.support.journals import RUN_ID
from tests.support.model_folder import write_model
from tests.support.run_folder import RunFolder
from tests.support.sshd import node_address, running_sshd

_FORBID_QT = """
import sys
class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "torch", "pyqtgraph"):
            raise AssertionError("imported " + name)
sys.meta_path.insert(0, Forbidden())
sys.argv = ["luthier", *sys.argv[1:]]
from studio.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    spec = with_value(JobSpec(), "model.id", str(tmp_path / "model"))
    spec = with_value(with_value(spec, "data.path", "/data/rows.json"), "batch.max_steps", 50)
    write_job_file(tmp_path / "job.yaml", spec)
    return tmp_path / "job.yaml"


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_that_a_good_job_checks_with_0_and_a_bad_one_with_2(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(job)]) == 0
    write_job_file(tmp_path / "bad.yaml", with_value(JobSpec(), "batch.micro_batch", 0))
    assert main(["check", str(tmp_path / "bad.yaml")]) == 2
    assert "error: batch.micro_batch: Micro batch is 0; the least is 1. Fix: Set to 1." in capsys.readouterr().out
    assert main(["check", str(tmp_path / "bad.yaml"), "--json"]) == 2
    answer = _json(capsys)
    assert answer["ok"] is False
    assert answer["problems"][0]["field"] == "batch.micro_batch"


def test_that_a_misspelt_field_is_told_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "job.yaml").write_text("optimizer:\n  learning_rat: 1e-5\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "job.yaml")]) == 2
    assert "job.yaml, line 2: optimizer.learning_rat: " in capsys.readouterr().err
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: No such file or directory." in capsys.readouterr().err


def test_that_the_schedule_as_json_is_what_the_trainer_uses(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", str(job), "--json"]) == 0
    answer = _json(capsys)
    spec = with_value(JobSpec(), "batch.max_steps", 50)
    assert answer["learning_rates"] == [lr_at(spec, update, 50) for update in range(50)]
    assert main(["schedule", str(job), "--steps", "7", "--json"]) == 0
    assert _json(capsys)["total_steps"] == 7


def test_that_a_schedule_in_epochs_or_tokens_asks_for_the_datas_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for unit, amount, asked in (("epochs", 1.0, "--sequences"), ("tokens", 5000.0, "--tokens")):
        spec = with_value(with_value(JobSpec(), "schedule.warmup.unit", unit), "schedule.warmup.amount", amount)
        write_job_file(tmp_path / "job.yaml", with_value(spec, "batch.max_steps", 50))
        assert main(["schedule", str(tmp_path / "job.yaml")]) == 2
        assert asked in capsys.readouterr().err
        counts = ["--sequences", "10", "--tokens", "5000"]
        assert main(["schedule", str(tmp_path / "job.yaml"), *counts, "--json"]) == 0
        answer = _json(capsys)
        assert answer["warmup_steps"] == 10 and "learning rate of 0" in answer["note"]
        assert answer["learning_rates"] == [lr_at(spec, update, Horizon(50, 10, 500.0)) for update in range(50)]


def test_that_a_schedule_shows_what_moves_beside_the_rate(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schedule", str(job)]) == 0
    said = capsys.readouterr().out
    assert "weight decay" not in said and "50 steps, 5 of them warmup. The first update" in said
    spec = with_value(JobSpec(), "batch.max_steps", 50)
    for path, value in (("shape", "one_cycle"), ("momentum_low", 0.5), ("weight_decay_end_factor", 0.0)):
        spec = with_value(spec, f"schedule.{path}", value)
    write_job_file(tmp_path / "job.yaml", spec)
    assert main(["schedule", str(tmp_path / "job.yaml")]) == 0
    assert "learning rate  weight decay   momentum" in capsys.readouterr().out
    assert main(["schedule", str(tmp_path / "job.yaml"), "--json"]) == 0
    answer = _json(capsys)
    assert len(answer["weight_decays"]) == len(answer["momentums"]) == 50 and min(answer["momentums"]) == 0.5


def test_that_a_schedule_of_unknown_length_asks_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_job_file(tmp_path / "job.yaml", JobSpec())
    assert main(["schedule", str(tmp_path / "job.yaml")]) == 2
    assert "--sequences" in capsys.readouterr().err
    assert main(["schedule", str(tmp_path / "job.yaml"), "--sequences", "100"]) == 0


def test_that_the_estimate_is_the_contracts(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(job), "--parameters", "1000000", "--json"]) == 0
    assert _json(capsys)["on_gpu_bytes"] == state_bytes(JobSpec(), 1_000_000).on_gpu
    assert main(["estimate", str(job)]) == 2
    assert "--parameters" in capsys.readouterr().err
    write_model(tmp_path / "model")
    assert main(["estimate", str(job)]) == 0


def test_that_a_failed_run_is_resumed_and_followed_to_its_end(
    tmp_path: Path, luthier_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = Node(tmp_path)
    node.home = Path(places.agent_home())
    try:
        failed = node.start(steps=14, state_every=4, die_rank=0, die_step=10, die_attempts=1)
        failed.wait_for("failed")
        run_id = failed.folder.name
        assert main(["attach", run_id, "--node", LOCAL_NODE]) == 1
        assert main(["runs"]) == 0
        assert "failed" in capsys.readouterr().out
        assert main(["resume", run_id, "--gpus", "1", "--zero-stage", "3", "--json"]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert lines[0] == {"run_id": run_id, "node": LOCAL_NODE, "attempt": 2, "step": 8}
        assert [line["step"] for line in lines[1:] if line["k"] == "step"] == [9, 10, 11, 12, 13, 14]
        assert failed.of(AttemptStarted)[-1] == AttemptStarted(2, 1, 8, "step-8", 3)
        assert main(["resume", run_id]) == 2
        assert "The run is complete" in capsys.readouterr().err
    finally:
        node.end()


def test_that_a_job_is_exported(tmp_path: Path, job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(job), str(tmp_path / "out")]) == 2
    assert "not on this computer" in capsys.readouterr().err


def test_that_runs_are_listed_and_unknown_ones_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    library = Library(places.library_path())
    library.save_run(RunRow("r-260101-000000-abcdef", "tiny", "box", "{}", "running", 3, 10))
    library.close()
    assert main(["runs", "--json"]) == 0
    answer = _json(capsys)
    assert [(run["run_id"], run["step"], run["loss"]) for run in answer] == [("r-260101-000000-abcdef", 3, "nan")]
    assert main(["runs"]) == 0
    assert main(["attach", "r-260101-000000-zzzzzz"]) == 2
    assert main(["stop", "nonsense"]) == 2


def test_that_nodes_are_added_listed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "add", "box", "me@box.example:2222", "--python", "/env/bin/python"]) == 0
    assert main(["nodes", "add", "six", "[fe80::1]:22"]) == 0
    assert main(["nodes", "add", "bad", "me@@box"]) == 2
    assert main(["nodes", "add", "out", "box.example", "--index", "https://mirror.example/simple"]) == 0
    assert main(["nodes", "add", "bad", "box.example", "--proxy", "socks5://proxy.example"]) == 2
    capsys.readouterr()
    assert main(["nodes", "list", "--json"]) == 0
    by_name = {node["address"]["name"]: node["address"] for node in _json(capsys)}
    assert by_name["box"]["host"] == "box.example"
    assert (by_name["box"]["port"], by_name["box"]["user"]) == (2222, "me")
    assert by_name["six"]["host"] == "fe80::1"
    assert by_name["out"]["index"] == "https://mirror.example/simple" and "bad" not in by_name
    assert LOCAL_NODE in by_name
    assert main(["nodes", "remove", "box"]) == 0
    assert main(["nodes", "remove", LOCAL_NODE]) == 2
    assert main(["nodes", "probe", "box"]) == 2


def test_that_this_computer_is_probed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "probe", LOCAL_NODE, "--json"]) == 0
    assert _json(capsys)["cores"] >= 1


def test_that_nodes_have_groups_and_tags_and_are_listed_by_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "add", "box", "box.example", "--group", "lab", "--tag", "h100", "--tag", "fast"]) == 0
    assert main(["nodes", "add", "box", "other.example"]) == 0
    assert main(["nodes", "label", LOCAL_NODE, "--tag", "mine,  fast"]) == 0
    assert main(["nodes", "label", "nobody", "--tag", "x"]) == 2
    capsys.readouterr()
    assert main(["nodes", "list"]) == 0
    assert "[lab]  [h100]  [fast]" in capsys.readouterr().out
    for asked, names in (
        (["--tag", "FAST"], {"box", LOCAL_NODE}),
        (["--tag", "fast", "--tag", "h100"], {"box"}),
        (["--group", "lab"], {"box"}),
        (["--group", ""], {LOCAL_NODE}),
    ):
        assert main(["nodes", "list", "--json", *asked]) == 0
        assert {node["address"]["name"] for node in _json(capsys)} == names
    assert main(["nodes", "label", "box", "--group", ""]) == 0
    assert capsys.readouterr().out == "box: h100, fast\n"
    assert main(["nodes", "list", "--json", "--group", "lab"]) == 0
    assert _json(capsys) == []


def test_that_folders_of_a_node_are_placed_and_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    models = tmp_path / "disk" / "models"
    assert main(["nodes", "folders", LOCAL_NODE, "--place", f"models={models}", "--json"]) == 0
    placed = {folder["name"]: folder["path"] for folder in _json(capsys) if folder["placed"]}
    assert placed == {"models": str(models)} and models.is_dir()
    assert main(["nodes", "folders", LOCAL_NODE]) == 0
    assert str(models) in capsys.readouterr().out
    assert main(["nodes", "folders", LOCAL_NODE, "--place", "models=", "--json"]) == 0
    assert not any(folder["placed"] for folder in _json(capsys))
    assert main(["nodes", "folders", LOCAL_NODE, "--place", "runs=/x"]) == 2
    assert "runs is no folder that can be placed" in capsys.readouterr().err


def test_that_a_node_nobody_answers_for_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "add", "box", "127.0.0.1:1"]) == 0
    assert main(["nodes", "probe", "box"]) == 3
    assert "127.0.0.1" in capsys.readouterr().err


def test_that_an_unknown_host_key_is_4_until_its_fingerprint_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_sshd(tmp_path / "sshd") as server:
        at = node_address(server)
        target = f"{at.user}@{at.host}:{at.port}"
        home = str(tmp_path / "home")
        assert main(["nodes", "add", "box", target, "--identity", at.identity_file, "--home", home]) == 0
        assert main(["nodes", "probe", "box"]) == 4
        said = capsys.readouterr().err
        fingerprint = next(word for word in said.split() if word.startswith("SHA256:")).rstrip(".")
        assert main(["nodes", "probe", "box", "--accept", "SHA256:wrong"]) == 4
        assert main(["nodes", "probe", "box", "--accept", fingerprint]) == 0
        assert main(["nodes", "probe", "box"]) == 0


def test_that_a_job_with_problems_is_not_run(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_job_file(job, JobSpec())
    assert main(["run", str(job)]) == 2
    assert "No model is chosen." in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["version"],
        ["check"],
        ["schedule"],
        ["estimate", "--parameters", "9"],
        ["runs"],
        ["nodes", "list"],
        ["run"],
        ["range-test"],
    ],
    ids=lambda words: words[0],
)
def test_that_no_command_imports_qt_or_torch(job: Path, words: list[str]) -> None:
    takes_job = words[0] in ("check", "schedule", "estimate", "run", "range-test")
    arguments = [*words, str(job)] if takes_job else words
    answer = subprocess.run([sys.executable, "-c", _FORBID_QT, *arguments], capture_output=True, text=True, timeout=120)
    assert "imported" not in answer.stderr, answer.stderr
    assert answer.returncode == (2 if words[0] in ("run", "range-test") else 0), answer.stderr


def test_that_attach_follows_to_the_end_and_tells_every_update_once(
    followed: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    followed.steps(6, 20)
    followed.end()
    assert main(["attach", RUN_ID, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines if line["k"] == "step"] == list(range(1, 21))
    assert main(["attach", RUN_ID]) == 0
    assert f"{RUN_ID} is finished at step 20 of 20." in capsys.readouterr().out


def test_that_ctrl_c_detaches_and_says_that_the_run_goes_on(followed: RunFolder) -> None:
    command = [sys.executable, "-u", "-m", "studio", "attach", RUN_ID]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as attached:
        assert attached.stdout is not None
        assert attached.stderr is not None
        assert attached.stdout.readline() == "running\n"
        attached.send_signal(signal.SIGINT)
        said = attached.stderr.read()
        assert attached.wait(60) == 0
    assert f"Detached; {RUN_ID} goes on on {LOCAL_NODE}." in said
    library = Library(places.library_path())
    row = library.run(RUN_ID)
    library.close()
    assert row is not None
    assert row.state == "running"


def test_that_a_failed_run_is_1(followed: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    followed.write("supervisor", StateChanged("failed", 1, "Rank 0 was killed by signal 9."))
    assert main(["attach", RUN_ID]) == 1
    assert "Rank 0 was killed by signal 9." in capsys.readouterr().out


def test_that_a_run_of_another_library_is_found_on_its_node(
    followed: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(places.library_path())
    library.delete_run(RUN_ID)
    library.close()
    followed.steps(6, 20)
    followed.end()
    assert main(["attach", RUN_ID]) == 2
    assert main(["runs", "--node", LOCAL_NODE]) == 0
    assert RUN_ID in capsys.readouterr().out
    assert main(["attach", RUN_ID, "--node", LOCAL_NODE]) == 0


def test_that_help_lists_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "4 a person is needed" in " ".join(capsys.readouterr().out.split())
