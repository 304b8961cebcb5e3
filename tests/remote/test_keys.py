"""Key files of every kind that people have, made by ssh-keygen, and a key of our own making."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from studio.remote.ssh.keys import NeedsPassphrase, UnusableKey, load_key, make_key


def _made(folder: Path, *words: str, phrase: str = "") -> Path:
    file = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-N", phrase, "-f", str(file), *words], check=True, capture_output=True)
    return file


def _public(file: Path) -> str:
    return file.with_name(file.name + ".pub").read_text(encoding="ascii").split()[1]


@pytest.mark.parametrize(
    "words",
    [
        ("-t", "ed25519"),
        ("-t", "rsa", "-b", "2048"),
        ("-t", "rsa", "-b", "2048", "-m", "PEM"),
        ("-t", "rsa", "-b", "2048", "-m", "PKCS8"),
        ("-t", "ecdsa", "-b", "521"),
        ("-t", "ed25519", "-Z", "aes256-gcm@openssh.com"),
    ],
)
def test_that_a_file_is_read_with_its_passphrase_and_only_with_it(words: tuple[str, ...], tmp_path: Path) -> None:
    file = _made(tmp_path, *words, phrase="a phrase ü")
    with pytest.raises(NeedsPassphrase):
        load_key(file)
    with pytest.raises(NeedsPassphrase):
        load_key(file, "another")
    assert load_key(file, "a phrase ü").get_base64() == _public(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "puttygen key.ppk -O private-openssh -o key"),
        (b"ssh-ed25519 AAAA me\n", "without .pub"),
        (b"", "holds no private key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "holds no private key"),
        (bytes(range(256)) * 40, "holds no private key"),
    ],
)
def test_that_what_is_no_key_says_what_it_is(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "key.ppk"
    file.write_bytes(content)
    with pytest.raises(UnusableKey, match=said):
        load_key(file)


def test_that_a_cipher_that_is_not_read_here_names_the_ways_round_it(tmp_path: Path) -> None:
    with pytest.raises(UnusableKey, match="load it with ssh-add, or choose the system's ssh"):
        load_key(_made(tmp_path, "-t", "ed25519", "-Z", "aes128-cbc", phrase="a phrase"))


def test_that_a_key_we_make_is_one_for_openssh_and_never_overwrites(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "box"
    line = make_key(file, "me@desk\n two")
    assert file.stat().st_mode & 0o077 == 0 and "\n" not in line
    told = subprocess.run(["ssh-keygen", "-y", "-f", str(file)], capture_output=True, text=True, check=True).stdout
    assert told.split()[:2] == line.split()[:2]
    assert load_key(file).get_base64() == _public(file)
    with pytest.raises(FileExistsError):
        make_key(file, "again")
