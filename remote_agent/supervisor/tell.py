"""The command `tell`: a test message goes to channels that a person is about to keep, as an alert would."""

from __future__ import annotations

import secrets
from typing import Any, Dict

from remote_agent.contract.alerts import INFO
from remote_agent.contract.notification import SECRET_NAME, Message
from remote_agent.supervisor.notify import deliver
from remote_agent.supervisor.outbox import take_channels
from remote_agent.supervisor.talk import CommandError, Talk, group_argument

TEST_WITHIN_S = 10.0
"""How long one channel may take; a person waits for it."""
_TITLE, _TEXT = "Luthier", "This is a test message. Alerts of runs will arrive here."


def tell(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{"problems": {channel: sentence}}``, a sentence empty where the message arrived.

    Raises:
        CommandError: what stands for the channels is none.
    """
    given = group_argument(arguments, "secrets")
    try:
        channels = take_channels({SECRET_NAME: str(given.get(SECRET_NAME, ""))})
    except ValueError as error:
        raise CommandError(str(error), "bad_request") from None
    key = "test-" + secrets.token_hex(8)
    message = Message(key, "test", INFO, 0, _TITLE, _TEXT, tuple(channel.name for channel in channels))
    problems: Dict[str, str] = {}
    for number, channel in enumerate(channels):
        talk.progress("telling", number, len(channels))
        problems[channel.name] = deliver(channel, message, TEST_WITHIN_S)
    return {"problems": problems}
