"""Where alerts are sent, and what is said there: run, step, loss and time left, never a row of the data."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Optional, Tuple

from remote_agent.contract.alerts import Where

NTFY, SLACK, TELEGRAM, COMMAND = "ntfy", "slack", "telegram", "command"
CHANNEL_KINDS = (NTFY, SLACK, TELEGRAM, COMMAND)

SECRET_NAME = "LUTHIER_SECRET_NOTIFY"  # noqa: S105 - the name under which it goes, not the secret
"""Under which secret the channels of a run reach its supervisor, as a JSON list; the ranks never see it."""


@dataclasses.dataclass(frozen=True)
class Channel:
    """One address. It is a secret: it stands in no job, journal or list of processes.

    Attributes:
        name: what the channel is called in the journal.
        kind: ntfy takes the text as it is; slack a JSON object with ``text`` (Mattermost and Discord's /slack too);
            telegram one with ``chat_id`` and ``text``; command is a program on the node that reads the text.
        address: the http or https address, or the command line.
        chat: Telegram's chat id.
    """

    name: str
    kind: str
    address: str
    chat: str = ""


def channel_problem(channel: Channel) -> str:
    """Return what is wrong with a channel, empty where nothing is."""
    if channel.kind not in CHANNEL_KINDS:
        return "{}: {!r} is no kind of channel; it can be {}.".format(
            channel.name, channel.kind, ", ".join(CHANNEL_KINDS))  # fmt: skip
    if not channel.name.strip():
        return "A channel has no name."
    if not channel.address.strip():
        return "{}: no address is given.".format(channel.name)
    if channel.kind != COMMAND and not channel.address.startswith(("http://", "https://")):
        return "{}: the address has to begin with http:// or https://.".format(channel.name)
    if channel.kind == TELEGRAM and not channel.chat:
        return "{}: Telegram needs the id of a chat.".format(channel.name)
    return ""


@dataclasses.dataclass(frozen=True)
class Message:
    """What is sent about one alert. ``key`` is the same for the same alert, so that a receiver can tell a repeat."""

    key: str
    rule: str
    severity: str
    step: int
    title: str
    text: str
    channels: Tuple[str, ...] = ()
    """The names of the channels that it has still to reach."""


def message_text(sentence: str, where: Where) -> str:
    """Return an alert's sentence with where the run is."""
    parts = [sentence]
    if where.total_steps:
        parts.append("Step {} of {}".format(where.step, where.total_steps))
        if where.loss is not None:
            parts[-1] += ", loss {:.4g}".format(where.loss)
        if where.eta_s is not None:
            parts[-1] += ", about {} left".format(_duration(where.eta_s))
        parts[-1] += "."
    return " ".join(parts)


def http_body(channel: Channel, message: Message) -> Dict[str, Any]:
    """Return the JSON object that a slack or telegram channel takes."""
    text = "{}\n{}".format(message.title, message.text)
    return {"chat_id": channel.chat, "text": text} if channel.kind == TELEGRAM else {"text": text}


def _duration(seconds: Optional[float]) -> str:
    minutes = max(1, round((seconds or 0.0) / 60))
    if minutes < 60:
        return "{} min".format(minutes)
    return "{} h {} min".format(minutes // 60, minutes % 60)
