"""The bootstrap on its own, as the child of a plain pipe: what it accepts, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_agent.contract.frames import Frame, encode_frame
from studio.remote.bootstrap import COMMAND, PROGRAM, interpreter_arguments
from studio.remote.deploy import AgentArchive
from studio.remote.errors import NodeRefused
from studio.remote.transport import LocalTransport

NONCE = "ab" * 16


def _line(home: str, archive: AgentArchive, **other: object) -> bytes:
    request: dict[str, Any] = {
        "nonce": NONCE, "home": home, "sha256": archive.sha256, "tree": archive.tree, "size": len(archive.data),
        "command": "probe",
    }  # fmt: skip
    return json.dumps({**request, **other}).encode("ascii") + b"\n"


def _request(home: str) -> bytes:
    return encode_frame(Frame({"frame": "request", "nonce": NONCE, "home": home, "arguments": {}}))


def _boot(given: bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, *interpreter_arguments()]
    return subprocess.run(words, input=given, capture_output=True, timeout=30, **options)


def _refusal(answer: subprocess.CompletedProcess[bytes]) -> str:
    mark = f"\nLUTHIER-BOOT {NONCE} refused ".encode("ascii")
    assert answer.stdout.startswith(mark), answer
    return str(json.loads(answer.stdout[len(mark) :]))


def test_that_the_command_survives_any_login_shell() -> None:
    inside = COMMAND.removeprefix("exec /bin/sh -c '").removesuffix("'").replace("' luthier '", "")
    assert not set(inside) & set("'\\!\n\r")
    assert COMMAND.isascii()


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "csh", "tcsh", "fish", "zsh", "ksh"])
def test_that_every_login_shell_at_hand_starts_the_agent(shell: str, tmp_path: Path, archive: AgentArchive) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    home = str(tmp_path / "home")
    given = _line(home, archive) + archive.data + _request(home)
    answer = subprocess.run([program, "-c", COMMAND], input=given, capture_output=True, timeout=30)
    assert f"\nLUTHIER-BOOT {NONCE} need\n".encode("ascii") in answer.stdout, answer.stderr
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in answer.stdout


def test_that_a_node_without_python_ends_with_97(tmp_path: Path) -> None:
    answer = subprocess.run(["/bin/sh", "-c", COMMAND], input=b"", capture_output=True, env={"PATH": str(tmp_path)})
    assert answer.returncode == 97
    assert answer.stdout == b"LUTHIER-NO-PYTHON\n"


def test_that_a_python_that_is_too_old_says_its_version(tmp_path: Path, archive: AgentArchive) -> None:
    program = f"import sys; sys.version_info = (3, 6, 15); sys.version = '3.6.15 (main)'\n{PROGRAM}"
    words = [sys.executable, "-I", "-B", "-c", program, program]
    answer = subprocess.run(
        words, input=_line(str(tmp_path / "home"), archive), capture_output=True, env={"PATH": str(tmp_path)}
    )
    assert answer.returncode == 97
    assert "3.6.15" in _refusal(answer) and "3.8 or later" in _refusal(answer)


def test_that_a_python_that_is_too_old_hands_over_to_a_newer_one(tmp_path: Path, archive: AgentArchive) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    program = f"import sys\nif sys.executable.endswith('old'): sys.version_info = (3, 6, 15)\n{PROGRAM}"
    words = [sys.executable, "-I", "-B", "-c", f"import sys; sys.executable = 'old'\n{program}", program]
    home = str(tmp_path / "home")
    given = _line(home, archive) + archive.data + _request(home)
    answer = subprocess.run(words, input=given, capture_output=True, env={"PATH": str(tmp_path)})
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in answer.stdout, answer


def test_that_the_program_parses_on_python_3_6(tmp_path: Path) -> None:
    vermin = Path(sys.executable).with_name("vermin")
    if not vermin.exists():
        pytest.skip("vermin is not installed")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="ascii")
    words = [str(vermin), "--no-tips", "-t=3.6-", str(tmp_path / "program.py")]
    found = subprocess.run(words, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_that_a_second_start_needs_no_upload(tmp_path: Path, archive: AgentArchive) -> None:
    home = str(tmp_path / "new" / "home")
    first = _boot(_line(home, archive) + archive.data + _request(home))
    second = _boot(_line(home, archive) + _request(home))
    assert f"{NONCE} need\n".encode("ascii") in first.stdout
    assert f"{NONCE} have\n".encode("ascii") in second.stdout
    assert first.stdout.split(b"need\n")[1] == second.stdout.split(b"have\n")[1]


@pytest.mark.parametrize("harm", ["changed", "removed", "added", "linked", "bytecode", "emptied"])
def test_that_an_agent_that_is_no_longer_what_it_was_is_noticed_before_it_runs_and_repaired(
    harm: str, tmp_path: Path, archive: AgentArchive
) -> None:
    home = tmp_path / "home"
    first = _boot(_line(str(home), archive) + archive.data + _request(str(home)))
    (folder,) = (home / "agent").iterdir()
    main, ran = folder / "remote_agent" / "__main__.py", tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w').close()\n"
    if harm == "changed":
        main.write_text(code + main.read_text(encoding="utf-8"), encoding="utf-8")
    elif harm == "removed":
        main.unlink()
    elif harm == "added":
        (folder / "json.py").write_text(code, encoding="ascii")
    elif harm == "linked":
        (tmp_path / "elsewhere.py").write_bytes(main.read_bytes())
        main.unlink()
        main.symlink_to(tmp_path / "elsewhere.py")
    elif harm == "bytecode":
        compiled = next(folder.rglob("frames.*.pyc"))
        compiled.write_bytes(compiled.read_bytes()[:-9] + b"\0" * 9)
    else:
        shutil.rmtree(folder / "remote_agent")
    whole = _boot(_line(str(home), archive) + archive.data + _request(str(home)))
    assert f"{NONCE} need\n".encode("ascii") in whole.stdout, whole
    assert whole.stdout == first.stdout and not ran.exists()
    assert f"{NONCE} have\n".encode("ascii") in _boot(_line(str(home), archive) + _request(str(home))).stdout
    assert list((home / "agent").iterdir()) == [folder]


def test_that_everything_made_is_for_the_user_alone(tmp_path: Path, archive: AgentArchive) -> None:
    home = tmp_path / "home"
    _boot(_line(str(home), archive) + archive.data + _request(str(home)))
    made = [home, *home.rglob("*")]
    assert len(made) > 10
    assert [path for path in made if path.lstat().st_mode & 0o077] == []


@pytest.mark.parametrize("arrived", [0, 1, 30, 5000, -1])
def test_that_a_cut_upload_leaves_nothing_runnable_and_the_next_try_succeeds(
    arrived: int, tmp_path: Path, archive: AgentArchive
) -> None:
    home = str(tmp_path / "home")
    cut = _boot(_line(home, archive) + archive.data[:arrived])
    assert cut.returncode == 98
    assert list((tmp_path / "home" / "agent").iterdir()) == []
    whole = _boot(_line(home, archive) + archive.data + _request(home))
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in whole.stdout


@pytest.mark.parametrize("at", [0, 40_000, -1])
def test_that_a_damaged_upload_is_refused_and_leaves_nothing(at: int, tmp_path: Path, archive: AgentArchive) -> None:
    data = bytearray(archive.data)
    data[at] ^= 1
    home = str(tmp_path / "home")
    answer = _boot(_line(home, archive) + bytes(data) + _request(home))
    assert b"arrived damaged" in answer.stdout
    assert list((tmp_path / "home" / "agent").iterdir()) == []


def test_that_an_unpacking_that_died_midway_is_not_taken_for_an_agent(tmp_path: Path, archive: AgentArchive) -> None:
    home = tmp_path / "home"
    half = home / "agent" / ".new-0011223344556677"
    half.mkdir(parents=True, mode=0o700)
    (half / "__main__.py").write_text("raise SystemExit('half')", encoding="ascii")
    for folder in (home, home / "agent"):
        folder.chmod(0o700)
    os.utime(half, (0, 0))
    answer = _boot(_line(str(home), archive) + archive.data + _request(str(home)))
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in answer.stdout
    assert not half.exists()


def test_that_a_home_that_others_may_enter_is_refused_by_name(tmp_path: Path, archive: AgentArchive) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    sentence = _refusal(_boot(_line(str(home), archive)))
    assert str(home) in sentence and "chmod 700" in sentence


def test_that_a_home_that_is_a_link_is_refused(tmp_path: Path, archive: AgentArchive) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "home").symlink_to(tmp_path / "real")
    assert "symbolic link" in _refusal(_boot(_line(str(tmp_path / "home"), archive)))
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert "symbolic link" in _refusal(_boot(_line(str(tmp_path / "dangling"), archive)))
    assert list((tmp_path / "real").iterdir()) == []


def test_that_a_home_in_a_folder_that_anybody_may_write_is_refused(tmp_path: Path, archive: AgentArchive) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert "Anybody may write" in _refusal(_boot(_line(str(shared / "home"), archive)))
    shared.chmod(0o1777)
    assert b"need" in _boot(_line(str(shared / "home"), archive)).stdout


def test_that_a_file_in_the_way_of_the_home_is_named(tmp_path: Path, archive: AgentArchive) -> None:
    (tmp_path / "home").write_text("", encoding="ascii")
    assert "is not a folder" in _refusal(_boot(_line(str(tmp_path / "home"), archive)))
    assert "Cannot set up" in _refusal(_boot(_line(str(tmp_path / "home" / "below"), archive)))


@pytest.mark.parametrize("home", ["", "relative", "../up"])
def test_that_a_home_that_is_not_absolute_is_refused(home: str, archive: AgentArchive) -> None:
    assert "absolute" in _refusal(_boot(_line(home, archive)))


@pytest.mark.parametrize("name", ["it's; $(touch pwned) `id`", "-rf", "%h\u00e9 \u4f60", "a" * 200])
def test_that_a_home_with_a_hostile_name_is_only_a_name(name: str, tmp_path: Path, archive: AgentArchive) -> None:
    home = str(tmp_path / name)
    answer = _boot(_line(home, archive) + archive.data + _request(home), cwd=tmp_path)
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in answer.stdout, answer
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["agent-source", name])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 40 KiB, where this user may."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=40k,mode=700", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("this user cannot mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_that_a_full_disk_is_said_and_leaves_nothing_runnable(small_disk: Path, archive: AgentArchive) -> None:
    home = str(small_disk / "home")
    answer = _boot(_line(home, archive) + archive.data + _request(home))
    assert b"no space left" in answer.stdout, answer
    assert list((small_disk / "home" / "agent").iterdir()) == []


def test_that_an_interpreter_that_does_not_exist_is_a_sentence() -> None:
    with pytest.raises(NodeRefused, match="/nowhere/python cannot be used"):
        LocalTransport("/nowhere/python").open()


def test_that_a_python3_with_nothing_behind_it_is_passed_over(tmp_path: Path, archive: AgentArchive) -> None:
    shim = tmp_path / "python3"
    shim.write_text("#!/bin/sh\nexec /nowhere/python3\n", encoding="ascii")
    shim.chmod(0o755)
    (tmp_path / "python3.11").symlink_to(sys.executable)
    home = str(tmp_path / "home")
    given = _line(home, archive) + archive.data + _request(home)
    answer = subprocess.run(["/bin/sh", "-c", COMMAND], input=given, capture_output=True, env={"PATH": str(tmp_path)})
    assert f"\nLUTHIER 1 {NONCE}\n".encode("ascii") in answer.stdout, answer
