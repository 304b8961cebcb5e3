"""Messages about alerts that wait to be sent, a file each, and the channels they go to; private to the node's user."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Optional, Tuple

from remote_agent.contract.notification import SECRET_NAME, Channel, Message, channel_problem
from remote_agent.contract.run_dir import NOTIFY
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.run_files.atomic_write import atomic_write_json

_CHANNELS, _SUFFIX = "channels.json", ".message.json"


def take_channels(secrets: Dict[str, str]) -> Tuple[Channel, ...]:
    """Take the channels out of a run's secrets, so that they do not reach the ranks.

    Raises:
        ValueError: they are no channels; says which one is wrong, without its address.
    """
    text = secrets.pop(SECRET_NAME, "")
    if not text:
        return ()
    listed = json.loads(text)
    if not isinstance(listed, list):
        raise ValueError("The channels for alerts are no list.")
    channels = tuple(from_wire(Channel, one) for one in listed)
    for channel in channels:
        problem = channel_problem(channel)
        if problem:
            raise ValueError(problem)
    return channels


def keep_channels(run_dir: str, channels: Tuple[Channel, ...]) -> None:
    """Keep a run's channels where its user alone reads them, so that a new supervisor of the run has them too."""
    os.makedirs(folder_of(run_dir), mode=0o700, exist_ok=True)
    atomic_write_json(os.path.join(folder_of(run_dir), _CHANNELS), [to_wire(channel) for channel in channels])


def channels_of(run_dir: str) -> Tuple[Channel, ...]:
    """Return a run's channels; none where it has none, or what is there cannot be read."""
    listed = _read(os.path.join(folder_of(run_dir), _CHANNELS))
    try:
        return tuple(from_wire(Channel, one) for one in listed or [])
    except ValueError:
        return ()


def put_message(run_dir: str, message: Message, since_s: float) -> None:
    """Let a message wait since a time in seconds of the epoch. Raises OSError where the disk does not take it."""
    os.makedirs(folder_of(run_dir), mode=0o700, exist_ok=True)
    atomic_write_json(_path(run_dir, message.key), {"since_s": since_s, "message": to_wire(message)})


def waiting_messages(run_dir: str) -> List[Tuple[float, Message]]:
    """Return the messages that wait with the time each began to, oldest first."""
    found: List[Tuple[float, Message]] = []
    folder = folder_of(run_dir)
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    for name in names:
        if name.startswith(".") or not name.endswith(_SUFFIX):
            continue
        body = _read(os.path.join(folder, name))
        if isinstance(body, dict) and isinstance(body.get("since_s"), float):
            try:
                found.append((body["since_s"], from_wire(Message, body.get("message"))))
            except ValueError:
                continue  # of another version
    return sorted(found, key=lambda item: item[0])


def remove_message(run_dir: str, key: str) -> None:
    """Take away a message that reached every channel; it may be gone."""
    try:
        os.unlink(_path(run_dir, key))
    except FileNotFoundError:
        return


def folder_of(run_dir: str) -> str:
    """Return the folder of channels and messages."""
    return os.path.join(run_dir, NOTIFY)


def _path(run_dir: str, key: str) -> str:
    return os.path.join(folder_of(run_dir), key + _SUFFIX)


def _read(path: str) -> Optional[Any]:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
