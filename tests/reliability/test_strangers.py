"""Other users of a node, planted links, and secrets: what a run leaves where somebody else could look."""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remote_agent.contract.events import RankExited
from remote_agent.contract.run_dir import SUPERVISOR_LOCK, is_plain_name, is_run_id
from remote_agent.run_files.atomic_write import atomic_write
from remote_agent.run_files.masking import Mask
from remote_agent.supervisor.lease import read_lease, take_lease
from studio.export import export_run
from studio.remote.agent import Agent
from studio.remote.errors import AgentFailed
from studio.remote.receiving import is_inside
from studio.remote.transport import LocalTransport
from studio.session.following import Following
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support.agent_call import agent_call

CANARIES = {"HF_TOKEN": "hf_canaryQ7w2e9", "WANDB_API_KEY": "wandb-canary-51ab/+=", "LUTHIER_SECRET_X": "x-canary-8"}

_PROBE = """
import os, sys
def tried(what):
    try:
        what()
    except PermissionError:
        return False
    except OSError as error:
        return not isinstance(error, (FileNotFoundError, IsADirectoryError, NotADirectoryError))
    return True
got = []
for path in sys.argv[2:]:
    for name, act in (("read", lambda: os.open(path, os.O_RDONLY)), ("list", lambda: os.listdir(path)),
                      ("write", lambda: os.open(path, os.O_WRONLY)), ("remove", lambda: os.unlink(path)),
                      ("add", lambda: os.mkdir(os.path.join(path, "planted")))):
        if tried(act):
            got.append(name + " " + path)
for pid in sys.argv[1].split(","):
    if tried(lambda: open("/proc/" + pid + "/environ", "rb").read()):
        got.append("environ " + pid)
    if tried(lambda: os.kill(int(pid), 0)):
        got.append("signal " + pid)
print("\\n".join(got))
"""


def run_with_secrets(node: Node, **plan: Any) -> Run:
    node.ask("start", arguments := {**node.start_arguments({"steps": 100_000, **plan}), "secrets": CANARIES})
    run = node.run(arguments["run_id"])
    run.wait_for("running")
    return run


def test_that_another_user_of_the_node_gets_at_nothing(node: Node) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("acting as another user needs root")
    run = run_with_secrets(node)
    lease = read_lease(str(run.folder))
    assert lease is not None
    processes = [lease.pid, *run.processes()]
    with tempfile.TemporaryDirectory() as shown:
        # the same files where the way to the home itself is open to everybody
        Path(shown).chmod(0o755)
        home = Path(shown, "home")
        shutil.copytree(node.home, home, symlinks=True, ignore=shutil.ignore_patterns(".*"))
        paths = [str(home), *map(str, home.rglob("*"))]
        probe = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/env", "python3", "-c",
             _PROBE, ",".join(map(str, processes)), *paths],
            capture_output=True, text=True, cwd="/", env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    assert probe.returncode == 0, probe.stderr
    assert probe.stdout.split() == []


def test_that_secrets_lie_in_no_file_and_no_argument_list(node: Node) -> None:
    run = run_with_secrets(node)
    forms = canary_forms()
    rank = Path(f"/proc/{run.ranks()[0]}/environ").read_bytes()
    assert all(value.encode() in rank for value in CANARIES.values())
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        assert not [form for form in forms if form in line], line
    run.command("stop", save=False)
    run.wait_for("stopped")
    agent = Agent(LocalTransport(sys.executable), str(node.home))
    into = node.folder / "fetched"
    agent.fetch(run.folder.name, ["job.json", "launch.json", "environment.json", "journal", "log"], into)
    for root in (node.home, into):
        for path in root.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert not [form for form in forms if form in data], path


def test_that_a_rank_which_prints_its_secrets_leaves_none_of_them_behind(node: Node, tmp_path: Path) -> None:
    run = run_with_secrets(node, steps=2, die_rank=0, die_step=2, die_code=3, prints=sorted(CANARIES))
    run.wait_for("failed")
    log = (run.folder / "log" / "rank0.log").read_text()
    assert log.count(" and in pieces ") == len(CANARIES) and log.count("*" * len(CANARIES["HF_TOKEN"])) >= 3
    kept = [event.last_lines for event in run.of(RankExited) if event.rank == 0]
    assert any("and in pieces ****" in line for lines in kept for line in lines)
    library, transport = Library(tmp_path / "library.db"), LocalTransport(sys.executable)
    row = RunRow(run.folder.name, "try", "node", (run.folder / "job.json").read_text(), "running")
    library.save_run(row)
    Following(row, library, Agent(transport, str(node.home))).follow(lambda *_: None)
    export_run(row, tmp_path / "bundle", library)
    assert b"and in pieces" in b"".join(piece.body for piece in library.logs(row.run_id))
    transport.close()
    library.close()
    searched = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"library.db", "rank0.log", "run.sh"} <= {path.name for path in searched}
    for path in searched:
        data = path.read_bytes()
        assert not [form for form in canary_forms() if form in data], path


def test_that_a_new_supervisor_strikes_out_what_was_printed_while_there_was_none(node: Node) -> None:
    run = run_with_secrets(node)
    run.kill_supervisor()
    log = run.folder / "log" / "rank0.log"
    with log.open("ab") as file:
        file.write(CANARIES["WANDB_API_KEY"].encode() + b" behind\n")
    node.ask("attach", {"runs": {run.folder.name: {}}})
    wait_until(lambda: b"* behind" in log.read_bytes())
    assert not [form for form in canary_forms() if form in log.read_bytes()]
    run.command("stop", save=False)
    run.wait_for("stopped")


def test_that_a_trainer_prints_no_secret_even_where_nobody_strikes_it_out(tmp_path: Path) -> None:
    script = (
        "import os, runpy, sys\nfrom pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "main = runpy.run_path(sys.argv[1] + '/remote_agent/trainer/__main__.py')\n"
        "main['_write_to'](Path(sys.argv[2]))\n"
        "print('a', os.environ['HF_TOKEN'], 'b')\n"
        "sys.stdout.write(os.environ['HF_TOKEN'][:4]); sys.stdout.write(os.environ['HF_TOKEN'][4:] + chr(10))\n"
        "raise ValueError(os.environ['WANDB_API_KEY'])\n"
    )
    log = tmp_path / "log" / "rank0.log"
    words = [sys.executable, "-c", script, str(Path(__file__).parents[2]), str(log)]
    assert subprocess.run(words, env={**os.environ, **CANARIES}).returncode == 1
    stars = "*" * len(CANARIES["HF_TOKEN"])
    assert log.read_text().startswith(f"a {stars} b\n{stars}\n") and "ValueError: ****" in log.read_text()
    assert not [form for form in canary_forms() if form in log.read_bytes()]


@given(value=st.text(min_size=6, max_size=40), before=st.binary(max_size=4), behind=st.binary(max_size=4))
def test_that_a_value_is_struck_out_in_every_form_and_nothing_moves(value: str, before: bytes, behind: bytes) -> None:
    mask = Mask([value])
    raw = value.encode("utf-8")
    for form in (raw, urllib.parse.quote(value).encode(), base64.b64encode(raw)):
        struck = mask.struck(b"<" + form + b">")
        assert len(struck) == len(form) + 2 and form.strip(b"*") not in (struck if form.strip(b"*") else b"")
    # within a longer text that is encoded as a whole, no more than what hangs on its neighbours is left
    longer = base64.b64encode(before + raw + behind)
    kept = len(mask.struck(longer).replace(b"*", b""))
    assert kept <= 4 + 4 * (len(before) + len(behind) + 4) // 3


def canary_forms() -> list[bytes]:
    """Return how the secrets may look in a file."""
    return [
        form
        for value in CANARIES.values()
        for form in (value.encode(), base64.b64encode(value.encode()), urllib.parse.quote(value, safe="").encode())
    ]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777 & ~0o700])
def test_that_files_are_for_their_owner_alone_whatever_the_umask(umask: int, node: Node) -> None:
    before = os.umask(umask)
    try:
        run = node.start(steps=3, ranks=1, state_every=2)
        run.wait_for("finished")
    finally:
        os.umask(before)
    made = [node.home, *node.home.rglob("*")]
    assert len(made) > 20
    for path in made:
        mode = path.lstat().st_mode
        assert stat.S_ISLNK(mode) or not mode & 0o077, f"{path} {mode:o}"


def _writes_to(pid: int, log: str) -> bool:
    return {os.readlink(f"/proc/{pid}/fd/{number}") for number in (1, 2)} == {log}


def test_that_nothing_listens_and_nothing_lies_in_the_shared_folders(node: Node) -> None:
    run = node.start(steps=100_000)
    run.wait_for("running")
    lease = read_lease(str(run.folder))
    assert lease is not None
    sockets = {
        target
        for pid in (lease.pid, *run.processes())
        for file in Path(f"/proc/{pid}/fd").iterdir()
        if (target := os.readlink(file)).startswith("socket:")
    }
    assert sockets == set()
    # the ranks of a run write to files: a pipe would end them with whoever reads it
    for rank, pid in enumerate(run.ranks()):
        log = str(run.folder / "log" / f"rank{rank}.log")
        # the run is running once rank 0 trains; another may still be about to open its log
        wait_until(functools.partial(_writes_to, pid, log))
        # what torch and Triton would put into the folders that all users share lies in the run's own
        assert f"TMPDIR={run.folder / 'scratch'}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    for pid in (lease.pid, *run.processes()):
        opened = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
        assert [
            name for name in opened if name.startswith(("/tmp/", "/dev/shm/")) and str(run.folder) not in name
        ] == []


def test_that_a_link_in_the_place_of_anything_we_make_is_refused_and_its_target_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    precious = victim / "precious"
    precious.write_text("untouched")
    home = tmp_path / "home"
    home.symlink_to(victim)
    assert agent_call("browse", home, {"path": "/"}).kind == "bad_request"
    assert [path.name for path in victim.iterdir()] == ["precious"]
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    (run / SUPERVISOR_LOCK).symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        take_lease(str(run))
    (run / "job.json").symlink_to(precious)
    atomic_write(str(run / "job.json"), b"new")
    assert precious.read_text() == "untouched" and not (run / "job.json").is_symlink()


NASTY = st.text(max_size=60) | st.sampled_from(
    ["'; touch planted; '", "$(touch planted)", "`touch planted`", "a\nb", "-rf", "../../x", "\0", "ü" * 2000,
     "%h ${X}", "\u202e", "/etc/passwd", "~", "x" * 4096, "\ud800"]
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NASTY)
def test_that_any_name_reaches_the_node_as_a_name_or_is_refused(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    planted = {path for path in (Path.cwd() / "planted", tmp_path / "planted", home / "planted")}
    asked = {"run_id": name, "command_id": name, "verb": name, "arguments": {name: name}}
    for command, arguments in (("command", asked), ("fetch", {"run_id": name, "names": [name]})):
        answer = agent_call(command, home, json.loads(json.dumps(arguments)))
        assert answer.kind in ("bad_request", "not_found"), answer
    browsed = agent_call("browse", home, {"path": name})
    assert browsed.kind in ("bad_request", "not_found", "failed") or browsed.value is not None
    assert not [path for path in planted if path.exists()]
    assert sorted(path.name for path in home.iterdir()) == ["data", "envs", "models", "runs", "uploads"]
    assert list((home / "runs").iterdir()) == []


@settings(max_examples=300)
@given(name=NASTY)
def test_that_no_name_leads_out_of_its_folder(name: str) -> None:
    for part in (name, f"a/{name}", f"{name}/b"):
        if is_inside(part):
            assert Path("/x/y", part).resolve().is_relative_to("/x/y") or "\0" in part
    assert not is_plain_name(name) or re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)
    assert not is_run_id(name)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=20), value=st.text(max_size=30))
def test_that_no_setting_but_a_secret_reaches_the_environment(name: str, value: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for wanted in (name, "LD_PRELOAD", "PYTHONPATH", "BASH_ENV"):
        asked = {"run_id": "r-260101-000000-aaaaaa", "secrets": {wanted: value}}
        if wanted not in CANARIES:
            assert agent_call("start", home, asked).kind in ("bad_request", "failed")
    assert list((home / "runs").iterdir()) == []


def test_that_an_agent_which_names_a_file_nobody_asked_for_writes_nothing(tmp_path: Path, node: Node) -> None:
    run = node.start(ranks=1, steps=2)
    run.wait_for("finished")
    agent = Agent(LocalTransport(sys.executable), str(node.home))
    for name in ("../../escaped", "/etc/passwd", "..\\escaped", "C:x"):
        with pytest.raises((ValueError, AgentFailed)):
            agent.fetch(run.folder.name, [name], tmp_path / "into")
    assert not (tmp_path / "escaped").exists()
    wait_until(run.supervisor_is_gone)
