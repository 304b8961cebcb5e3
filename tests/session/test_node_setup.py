"""Adding a node with the real session and a real server: a key of our own, the test of the way, a password asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio import places
from studio.remote.errors import AuthenticationFailed, HostKeyUnknown, RemoteError
from studio.remote.transport import NodeAddress
from studio.session.asking import PendingQuestion
from studio.session.known_nodes import check_address
from studio.session.session import Session
from tests.support.asking_sshd import PASSWORD, asking_library, asking_sshd
from tests.support.sshd import node_address, running_sshd


def _walk(session: Session, qtbot: QtBot, address: NodeAddress) -> tuple[bool, list[str], RemoteError | None]:
    said: list[str] = []
    errors: list[RemoteError] = []
    went: list[bool] = []

    def on_step(sentence: str, error: RemoteError | None) -> None:
        said.append(sentence)
        if error is not None:
            errors.append(error)

    session.node_setup.test(address, on_step, went.append, session)
    qtbot.waitUntil(lambda: bool(went), timeout=20_000)
    return went[0], said, errors[0] if errors else None


def test_that_a_key_of_our_own_opens_a_node_once_its_owner_takes_it(
    session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    config = tmp_path / "ssh_config"
    config.write_text("Host one two\nHost *\n UserKnownHostsFile /dev/null\n", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(config))
    assert session.node_setup.aliases() == ("one", "two")
    file, public = session.node_setup.make_key("../my box")
    assert Path(file) == places.config_dir() / "keys" / "my-box_ed25519"
    assert session.node_setup.make_key("../my box") == (file, public)
    with running_sshd(tmp_path / "server") as server:
        address = NodeAddress("box", "ssh", server.host, server.port, server.user, file)
        went, _, error = _walk(session, qtbot, address)
        assert not went and isinstance(error, HostKeyUnknown)
        session.accept_host_key(error)
        went, _, error = _walk(session, qtbot, address)
        assert not went and isinstance(error, AuthenticationFailed)
        with (server.folder / "authorized_keys").open("a", encoding="ascii") as keys:
            keys.write(public + "\n")
        went, said, error = _walk(session, qtbot, address)
        assert went and error is None and said[-1].startswith("The agent answered from ")


def test_that_a_password_is_asked_of_whoever_attends(
    session: Session, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("StrictHostKeyChecking accept-new\nUserKnownHostsFile /dev/null\n", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(config))
    asking = session.node_setup.asking
    asked: list[str] = []

    def answer(pending: PendingQuestion) -> None:
        asked.append(pending.question.node)
        asking.answer(pending, (PASSWORD,))

    options = ("PasswordAuthentication yes", "PubkeyAuthentication no")
    with asking_sshd(tmp_path / "server", asking_library(tmp_path), options) as server:
        went, _, error = _walk(session, qtbot, node_address(server, name="box"))
        assert not went and isinstance(error, AuthenticationFailed)
        asking.asked.connect(answer)
        asking.attend()
        for _ in range(2):
            went, said, _ = _walk(session, qtbot, node_address(server, name="box"))
            assert went and any("with the password." in sentence for sentence in said)
    assert asked == ["box"]


@pytest.mark.parametrize(
    "address",
    [
        NodeAddress("n", "ssh", "-oProxyCommand=x"),
        NodeAddress("n", "ssh", "box", user="a b"),
        NodeAddress("n", "ssh", "box", jump="$(x)"),
        NodeAddress("n", "command", command="docker exec -it box"),
        NodeAddress("n", "command"),
    ],
)
def test_that_an_address_that_cannot_be_used_is_refused_when_it_is_added(address: NodeAddress) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_address(address)
