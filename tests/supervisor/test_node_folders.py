"""Folders of the agent that lie elsewhere: placed, used by every command, and given back, across real file systems."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.node_folders import folder_of, free_bytes, proposed_folders
from remote_agent.contract.node_report import Disk, NodeFolder, NodeReport, Survey
from remote_agent.contract.wire import from_wire
from studio.remote.agent import Agent
from studio.remote.transport import LocalTransport
from tests.supervisor.conftest import Node, wait_until
from tests.supervisor.test_commands import FILES, SENT, send
from tests.support.reports import gpu_report
from tests.support.small_disk import small_disk as small_disk

NAMES = ("environments", "models", "data", "checkpoints")


def place(node: Node, **paths: Path | str) -> dict[str, str]:
    answer = node.ask("folders", {"folders": {name: str(path) for name, path in paths.items()}}).result
    return {folder["name"]: folder["path"] for folder in answer["folders"]}


def probed(node: Node) -> NodeReport:
    return from_wire(NodeReport, node.ask("probe", {"python": str(node.python)}).result["report"])


def test_that_placed_folders_are_private_told_by_the_probe_and_given_back(node: Node, small_disk: Path) -> None:
    before = probed(node)
    assert [folder.name for folder in before.folders] == ["work", *NAMES]
    assert not any(folder.placed for folder in before.folders)
    (node.home / "models" / "kept").mkdir()
    (node.home / "envs" / ".python").mkdir()
    placed = place(node, **{name: small_disk / name for name in NAMES})
    assert placed == {"work": str(node.home), **{name: str(small_disk / name) for name in NAMES}}
    assert stat.S_IMODE((small_disk / "models").stat().st_mode) == 0o700
    report = probed(node)
    models = folder_of(report, "models")
    assert models is not None and models.placed and (models.kind, models.lasts) == ("tmpfs", False)
    assert 0 < models.free_bytes == free_bytes(report, "models") <= 8 << 20 < free_bytes(report, "work")
    # what lay there is found under every path that anybody knows
    assert (node.home / "models" / "kept").is_dir() and (small_disk / "models" / "kept").is_symlink()
    assert (node.home / "envs" / ".python").is_dir()
    (small_disk / "models" / "new").mkdir()
    back = place(node, models="")
    assert back["models"] == str(node.home / "models")
    assert not any(folder.placed for folder in probed(node).folders if folder.name == "models")
    assert {path.name for path in (node.home / "models").iterdir()} == {"kept", "new"}
    place(node, models=small_disk / "models")
    assert all((node.home / "models" / name).is_dir() for name in ("kept", "new"))


def test_that_an_upload_arrives_on_the_disk_of_its_folder_and_is_found_again(node: Node, small_disk: Path) -> None:
    place(node, models=small_disk / "models")
    with node.talk("receive", SENT) as agent:
        send(agent, FILES, upto=60_000)
        arriving = small_disk / "models" / ".uploads"
        wait_until(lambda: any(path.stat().st_size >= 30_000 for path in arriving.rglob("*.safetensors")))
        agent.close_input()
        agent.process.wait(5)
    with node.talk("receive", SENT) as agent:
        assert send(agent, FILES)["sub/model.safetensors"] >= 30_000
        path = Path(agent.answer().result["path"])
    assert path.parent == node.home / "models"
    assert {name: (path / name).read_bytes() for name in FILES} == FILES
    assert path.stat().st_dev == small_disk.stat().st_dev != node.home.stat().st_dev
    assert node.ask("receive", SENT).result == {"path": str(path)}
    (node.folder / "weights.bin").write_bytes(b"w" * 100_000)
    agent_here = Agent(LocalTransport(), str(node.home))  # which tells hashes while it sends
    other = Path(agent_here.send_file("models", node.folder / "weights.bin"))
    assert other.stat().st_dev == small_disk.stat().st_dev and other.stat().st_size == 100_000


def test_that_checkpoints_of_a_run_lie_where_they_were_placed_and_go_with_it(node: Node, small_disk: Path) -> None:
    place(node, checkpoints=small_disk / "checkpoints")
    run = node.start(steps=8, state_every=4)
    run.wait_for("finished")
    folder = small_disk / "checkpoints" / run.folder.name
    assert {path.name for path in folder.iterdir()} >= {"step-8"}
    assert node.ask("runs").result["runs"][0]["run_id"] == run.folder.name
    got = node.ask("fetch", {"run_id": run.folder.name, "names": ["checkpoints/step-8/COMMITTED.json"]})
    assert got.result["missing"] == [] and b"".join(frame.body for frame in got.of_kind("file"))
    assert node.ask("fetch", {"run_id": run.folder.name, "names": ["checkpoints/../../x"]}).kind == "bad_request"
    wait_until(run.supervisor_is_gone)
    freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert node.ask("remove", {"run_id": run.folder.name}).result["freed_bytes"] > freed > 0
    assert not folder.exists() and not run.folder.exists()


def test_that_a_folder_whose_disk_is_gone_is_told_and_placed_anew(node: Node, tmp_path: Path) -> None:
    place(node, data=tmp_path / "disk" / "data")
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    report = probed(node)
    (sentence,) = [text for text in report.problems if "not be mounted" in text]
    assert sentence.startswith(f"The folder of the data, {tmp_path / 'disk' / 'data'}, is not there")
    assert place(node, data="")["data"] == str(node.home / "data")
    assert not any("mounted" in text for text in probed(node).problems)


REFUSED = (
    ("runs", "{tmp}/x"),
    ("models", "relative/models"),
    ("models", "{home}/elsewhere"),
    ("models", "{tmp}"),
    ("models", "{tmp}/data"),
    ("models", "{tmp}/data/models"),
    ("models", "{tmp}/open"),
    ("models", "{tmp}/link"),
    ("models", "{tmp}/file"),
)


def test_that_a_folder_that_is_not_private_or_not_apart_is_refused(node: Node) -> None:
    (node.folder / "open").mkdir()
    (node.folder / "open").chmod(0o755)
    (node.folder / "link").symlink_to(node.folder / "open")
    (node.folder / "file").touch()
    before = place(node, data=node.folder / "data")
    for name, path in REFUSED:
        asked = path.format(tmp=node.folder, home=node.home)
        answer = node.ask("folders", {"folders": {name: asked}})
        assert answer.kind == "bad_request", path
        assert answer.error.endswith((".", "chmod 700 " + asked)), answer.error
    assert place(node) == before


def test_that_nothing_is_placed_while_a_run_goes_on(node: Node) -> None:
    run = node.start(steps=1000, step_s=0.05)
    run.wait_for("running")
    answer = node.ask("folders", {"folders": {"models": str(node.folder / "elsewhere")}})
    assert answer.kind == "bad_request" and run.folder.name in answer.error
    assert not (node.home / "models").is_symlink()


GIB = 1 << 30
HOME = Disk("/root/.luthier", "/", "overlay", 200 * GIB, 150 * GIB, False)
VOLUME = Disk("/workspace/luthier", "/workspace", "ext4", 500 * GIB, 300 * GIB, True)
SHARE = Disk("/mnt/share/luthier", "/mnt/share", "nfs4", 9000 * GIB, 8000 * GIB, True)


@pytest.mark.parametrize(
    ("home", "others", "expected"),
    [
        (HOME, (), {}),
        (HOME, (VOLUME,), dict.fromkeys(NAMES, "/workspace")),
        (HOME, (VOLUME, SHARE), {**dict.fromkeys(NAMES, "/mnt/share"), "environments": "/workspace"}),
        (VOLUME, (SHARE,), {}),
        (dataclasses.replace(VOLUME, free_bytes=20 * GIB), (SHARE, HOME), dict.fromkeys(NAMES[1:], "/mnt/share")),
        (dataclasses.replace(VOLUME, free_bytes=90 * GIB), (HOME,), {}),
        (dataclasses.replace(HOME, free_bytes=5 * GIB), (dataclasses.replace(VOLUME, lasts=False),),
         dict.fromkeys(NAMES, "/workspace")),
    ],
)  # fmt: skip
def test_that_folders_are_proposed_where_they_last_and_have_room(
    home: Disk, others: tuple[Disk, ...], expected: dict[str, str]
) -> None:
    folders = tuple(
        NodeFolder(name, home.folder, home.mount, home.kind, home.total_bytes, home.free_bytes, home.lasts)
        for name in ("work", *NAMES)
    )
    report: Any = dataclasses.replace(gpu_report(1), folders=folders, survey=Survey(disks=(home, *others)))
    proposed = proposed_folders(report)
    assert set(proposed) == set(expected)
    assert all(path.startswith(expected[name] + "/luthier/") for name, path in proposed.items())
