"""Where alerts are sent: a line a channel, kept in the system's keyring, or in memory where there is none."""

from __future__ import annotations

import json
from typing import ClassVar

from remote_agent.contract.notification import COMMAND, SECRET_NAME, TELEGRAM, Channel, channel_problem
from remote_agent.contract.wire import from_wire, to_wire

_ACCOUNT = "alert channels"


class ChannelsError(ValueError):
    """A line is no channel; says which and why, without the address."""


def parse_channels(text: str) -> tuple[Channel, ...]:
    """Return the channels of lines such as ``phone: ntfy https://ntfy.example/topic``.

    A line is a name, a colon, a kind (ntfy, slack, telegram, command) and the address; for telegram the chat's id
    stands at the end, for command the rest of the line is the command. Empty lines are passed over.

    Raises:
        ChannelsError: a line is no channel, or a name stands twice.
    """
    channels: list[Channel] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, rest = line.partition(":")
        words = rest.split(None, 1)
        if not colon or len(words) < 2:
            raise ChannelsError(f"Line {number}: write a name, a colon, a kind and an address.")
        kind, address, chat = words[0].lower(), words[1].strip(), ""
        if kind == TELEGRAM:
            address, _, chat = address.partition(" ")
        elif kind != COMMAND and " " in address:
            raise ChannelsError(f"Line {number}: an address has no spaces.")
        channel = Channel(name.strip(), kind, address, chat.strip())
        problem = channel_problem(channel)
        if problem:
            raise ChannelsError(f"Line {number}: {problem}")
        if channel.name in {one.name for one in channels}:
            raise ChannelsError(f"Line {number}: there is a channel {channel.name} already.")
        channels.append(channel)
    return tuple(channels)


def channels_text(channels: tuple[Channel, ...]) -> str:
    """Return the lines that `parse_channels` reads."""
    return "".join(
        f"{channel.name}: {channel.kind} {channel.address}{' ' + channel.chat if channel.chat else ''}\n"
        for channel in channels
    )


def secrets_of(channels: tuple[Channel, ...]) -> dict[str, str]:
    """Return the secrets under which channels reach a node, none where there are none."""
    return {SECRET_NAME: json.dumps([to_wire(channel) for channel in channels])} if channels else {}


class AlertChannels:
    """The channels of this person, for every run that is started from here."""

    _in_memory: ClassVar[str] = ""

    def unavailable(self) -> str:
        """Return why they are not kept beyond this process, as a sentence; empty where they are."""
        from studio.secrets import KeyringKeeper

        return KeyringKeeper().unavailable()

    def read(self) -> tuple[Channel, ...]:
        """Return the channels; none where nothing readable is kept."""
        from studio.secrets import KeyringKeeper

        text = AlertChannels._in_memory or KeyringKeeper().secret(_ACCOUNT)
        try:
            return tuple(from_wire(Channel, one) for one in json.loads(text)) if text else ()
        except ValueError:
            return ()

    def keep(self, channels: tuple[Channel, ...]) -> None:
        """Keep the channels in place of those before."""
        from studio.secrets import KeyringKeeper

        keeper = KeyringKeeper()
        AlertChannels._in_memory = ""
        if not channels:
            keeper.forget(_ACCOUNT)
            return
        text = json.dumps([to_wire(channel) for channel in channels])
        if keeper.unavailable():
            AlertChannels._in_memory = text
        else:
            keeper.keep(_ACCOUNT, text)

    def as_secrets(self) -> dict[str, str]:
        """Return what a run's supervisor is handed."""
        return secrets_of(self.read())
