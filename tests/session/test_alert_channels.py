"""Where alerts are sent: lines that a person writes, kept in a keyring or in memory, handed to a run's supervisor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.notification import SECRET_NAME, Channel
from remote_agent.supervisor.outbox import take_channels
from studio.session.alert_channels import AlertChannels, ChannelsError, channels_text, parse_channels
from studio.session.session import Session

LINES = """phone: ntfy https://ntfy.example/my-topic
team: slack https://hooks.example/services/T0

bot: telegram https://api.example/bot1:x/sendMessage -100
script: command /home/me/tell --loud
"""
CHANNELS = (
    Channel("phone", "ntfy", "https://ntfy.example/my-topic"),
    Channel("team", "slack", "https://hooks.example/services/T0"),
    Channel("bot", "telegram", "https://api.example/bot1:x/sendMessage", "-100"),
    Channel("script", "command", "/home/me/tell --loud"),
)


class OwnKeyring(keyring.backend.KeyringBackend):
    """A keyring that lives as long as a test."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture
def own_keyring() -> Iterator[OwnKeyring]:
    before: Any = keyring.get_keyring()
    own = OwnKeyring()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    AlertChannels().keep(())


def test_that_lines_become_channels_and_channels_the_same_lines() -> None:
    assert parse_channels(LINES) == CHANNELS
    assert parse_channels(channels_text(CHANNELS)) == CHANNELS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("phone ntfy https://x", "Line 1: write a name"),
        ("\nphone: smoke https://x", "Line 2: phone: 'smoke' is no kind"),
        ("phone: ntfy ftp://x", "http"),
        ("bot: telegram https://x", "chat"),
        ("a: ntfy https://x y", "no spaces"),
        ("a: ntfy https://x\na: ntfy https://y", "Line 2: there is a channel a already"),
    ],
)
def test_that_a_line_that_is_no_channel_is_named(line: str, said: str) -> None:
    with pytest.raises(ChannelsError, match=said):
        parse_channels(line)


def test_that_channels_live_in_the_keyring_and_go_when_there_are_none(own_keyring: OwnKeyring) -> None:
    AlertChannels().keep(CHANNELS)
    assert AlertChannels().unavailable() == ""
    assert AlertChannels._in_memory == ""
    assert AlertChannels().read() == CHANNELS
    AlertChannels().keep(())
    assert own_keyring.kept == {}
    assert AlertChannels().as_secrets() == {}


def test_that_without_a_keyring_they_are_kept_in_memory_and_that_is_said() -> None:
    AlertChannels().keep(CHANNELS)
    assert AlertChannels().read() == CHANNELS
    assert "until Luthier ends" in AlertChannels().unavailable()


def test_that_the_supervisor_understands_what_it_is_handed() -> None:
    AlertChannels().keep(CHANNELS)
    secrets = AlertChannels().as_secrets()
    assert list(secrets) == [SECRET_NAME]
    assert take_channels(secrets) == CHANNELS
    assert secrets == {}


def test_that_what_is_kept_and_cannot_be_read_counts_as_nothing(own_keyring: OwnKeyring) -> None:
    own_keyring.kept["luthier", "alert channels"] = json.dumps([{"name": 1}])
    assert AlertChannels().read() == ()


def test_that_a_test_message_goes_to_channels_that_are_not_kept_yet(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    assert session.send_test_message("phone: smoke https://x").startswith("Line 1: phone: 'smoke' is no kind")
    assert session.send_test_message("\n").startswith("There is no channel yet")
    told = tmp_path / "told"
    with qtbot.waitSignal(session.test_message_sent, timeout=60_000) as sent:
        assert session.send_test_message(f"a: command sh -c 'cat > {told}'\nb: command false") == ""
    assert sent.args == ["This computer", {"a": "", "b": "The command ended with 1."}, ""]
    assert told.read_text() == "Luthier\nThis is a test message. Alerts of runs will arrive here.\n"
    assert AlertChannels().read() == ()


def test_that_the_channels_of_alerts_are_kept_and_looked_up_off_the_windows_thread(
    session: Session, qtbot: QtBot
) -> None:
    assert session.keep_alert_channels("phone: smoke https://x").startswith("Line 1: phone: 'smoke' is no kind")
    assert session.keep_alert_channels("phone: ntfy https://ntfy.example/topic") == ""

    def keeps() -> bool:
        return bool(AlertChannels().read())

    qtbot.waitUntil(keeps)
    with qtbot.waitSignal(session.alert_channels_loaded) as loaded:
        session.load_alert_channels()
    assert loaded.args is not None
    assert loaded.args[0] == "phone: ntfy https://ntfy.example/topic\n"
    assert "until Luthier ends" in loaded.args[1]
    AlertChannels().keep(())
