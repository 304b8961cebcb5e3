"""Our reader of known_hosts files against ssh-keygen, which is OpenSSH's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.remote.errors import HostKeyChanged, HostKeyUnknown
from studio.remote.known_hosts import HostKey, accept_host_key, check_host_key, known_as, known_keys

KEY_A = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6kK2sG3rQdWdyI8yNzXq5UUfH0rB0zQ6l9cY8dX1aA"
KEY_B = "AAAAC3NzaC1lZDI1NTE5AAAAIBBBK2sG3rQdWdyI8yNzXq5UUfH0rB0zQ6l9cY8dX1bB"


def _key(text: str = KEY_A, kind: str = "ssh-ed25519") -> HostKey:
    import base64

    return HostKey(kind, base64.b64decode(text))


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "name", "found"),
    [
        ("host", "host", True),
        ("HOST", "host", True),
        ("other,host", "host", True),
        ("*.example", "a.example", True),
        ("*.example", "example", False),
        ("h?st", "host", True),
        ("*,!host", "host", False),
        ("!host,*", "host", False),
        ("*,!host", "other", True),
        ("[host]:2222", "[host]:2222", True),
        ("[host]:2222", "host", False),
        ("host", "[host]:2222", False),
        ("[*.example]:2222", "[a.example]:2222", True),
        ("ho[a-z]t", "host", False),
    ],
)
def test_that_patterns_match_as_openssh_matches_them(line: str, name: str, found: bool, tmp_path: Path) -> None:
    file = _write(tmp_path / "known", f"{line} ssh-ed25519 {KEY_A} a comment\n")
    assert bool(known_keys([file], name)) is found
    told = subprocess.run(["ssh-keygen", "-F", name, "-f", str(file)], capture_output=True)
    assert (told.returncode == 0) is found


@pytest.mark.parametrize("name", ["host", "[host]:2222"])
def test_that_hashed_names_are_found(name: str, tmp_path: Path) -> None:
    file = _write(tmp_path / "known", f"{name} ssh-ed25519 {KEY_A}\n")
    subprocess.run(["ssh-keygen", "-H", "-f", str(file)], check=True, capture_output=True)
    assert file.read_text(encoding="ascii").startswith("|1|")
    assert [known.key for known in known_keys([file], name)] == [_key()]
    assert known_keys([file], "another") == []


def test_that_damaged_lines_cost_only_themselves(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_bytes(
        b"# a comment\n\n@cert-authority host ssh-ed25519 AAAA\n"
        b"host ssh-ed25519 not*base64\nhost\n|1|x|y ssh-rsa AAAA\n"
        b"@unheard-of host ssh-ed25519 AAAA\nhost   ssh-ed25519\t" + KEY_A.encode() + b"  caf\xe9\n"
    )
    assert [(known.key, known.place) for known in known_keys([file], "host")] == [(_key(), f"{file}:8")]


def test_that_files_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    assert known_keys([tmp_path / "none", tmp_path], "host") == []


def test_that_an_unknown_key_becomes_a_question_and_the_answer_is_kept(tmp_path: Path) -> None:
    ours = tmp_path / "config" / "known_hosts"
    with pytest.raises(HostKeyUnknown) as caught:
        check_host_key([], _key(), "host", 2222, known_as("host", 2222))
    question = caught.value
    assert question.fingerprint in question.sentence
    accept_host_key(ours, question)
    accept_host_key(ours, HostKeyUnknown("other", 22, "ssh-ed25519", "", KEY_B))
    check_host_key(known_keys([ours], "[host]:2222"), _key(), "host", 2222, "[host]:2222")
    check_host_key(known_keys([ours], "other"), _key(KEY_B), "other", 22, "other")
    assert ours.stat().st_mode & 0o077 == 0
    assert [path.name for path in ours.parent.iterdir()] == ["known_hosts"]


def test_that_a_changed_key_names_both_fingerprints_file_and_line(tmp_path: Path) -> None:
    file = _write(tmp_path / "known", f"\nhost ssh-ed25519 {KEY_A}\n")
    with pytest.raises(HostKeyChanged) as caught:
        check_host_key(known_keys([file], "host"), _key(KEY_B), "host", 22, "host")
    for part in (_key().fingerprint, _key(KEY_B).fingerprint, f"{file}:2"):
        assert part in caught.value.sentence


def test_that_a_key_of_another_type_than_the_known_one_is_a_change(tmp_path: Path) -> None:
    file = _write(tmp_path / "known", f"host ssh-ed25519 {KEY_A}\n")
    with pytest.raises(HostKeyChanged):
        check_host_key(known_keys([file], "host"), _key(KEY_B, "ecdsa-sha2-nistp256"), "host", 22, "host")


def test_that_a_revoked_key_is_refused_even_where_another_line_accepts_it(tmp_path: Path) -> None:
    file = _write(tmp_path / "known", f"host ssh-ed25519 {KEY_A}\n@revoked * ssh-ed25519 {KEY_A}\n")
    with pytest.raises(HostKeyChanged, match="revoked") as caught:
        check_host_key(known_keys([file], "host"), _key(), "host", 22, "host")
    assert caught.value.revoked


def test_that_the_fingerprint_is_the_one_of_ssh_keygen(tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    told = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], capture_output=True, text=True, check=True)
    kind, blob = (tmp_path / "key.pub").read_text(encoding="ascii").split()[:2]
    assert _key(blob, kind).fingerprint == told.stdout.split()[1]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_that_the_picture_is_the_one_of_ssh_keygen(kind: str, tmp_path: Path) -> None:
    for number in range(4):
        file = tmp_path / f"key{number}"
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(file)], check=True)
        told = subprocess.run(["ssh-keygen", "-lv", "-f", str(file)], capture_output=True, text=True, check=True)
        name, blob = file.with_name(file.name + ".pub").read_text(encoding="ascii").split()[:2]
        assert _key(blob, name).art == told.stdout.partition("\n")[2].rstrip("\n")
