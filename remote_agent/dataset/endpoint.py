"""An HTTP endpoint that says texts in other words, in the form most servers speak: chat completions."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from remote_agent.contract.data_steps import AugmentStep
from remote_agent.dataset.data_error import CancelledError, DataError

TOKEN = "LUTHIER_ENDPOINT_TOKEN"  # noqa: S105 the name of a variable
"""The environment variable whose token goes with each request; it never stands in a job."""

_TIMEOUT_S = 120.0
_TRIES = 4
_FIRST_PAUSE_S = 1.0
_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504))
Wait = Callable[[float], bool]
"""Waits so many seconds and returns whether somebody asked to stop."""


class Endpoint:
    """Asks an address for each text in turn."""

    def __init__(self, step: AugmentStep, wait: Wait) -> None:
        """Raises DataError where the person has not agreed that rows leave the node, or the address is none."""
        if not step.consent:
            raise DataError(f"Rows would be sent to {step.url}; switch 'Rows may leave' on in the step to allow it.")
        parts = urllib.parse.urlsplit(step.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DataError(f"{step.url!r} is no http or https address.")
        self._step, self._wait = step, wait

    def __call__(self, texts: list[str]) -> list[str]:
        """Return the answers. Raises DataError where the endpoint refuses or stays away, CancelledError."""
        return [self._answer(text) for text in texts]

    def _answer(self, text: str) -> str:
        pause_s = _FIRST_PAUSE_S
        for attempt in range(_TRIES):
            try:
                return self._ask(text)
            except urllib.error.HTTPError as error:
                reason = f"answered with {error.code}"
                error.close()
                if error.code not in _AGAIN:
                    raise self._refused(reason) from None
            except (OSError, http.client.HTTPException) as error:
                reason = f"cannot be reached ({error})"
            if attempt + 1 == _TRIES:
                break
            if self._wait(pause_s):
                raise CancelledError
            pause_s *= 2
        raise self._refused(reason)

    def _ask(self, text: str) -> str:
        step = self._step
        asked = {
            "model": step.model,
            "messages": [{"role": "user", "content": step.prefix + text}],
            "max_tokens": step.max_tokens,
            "temperature": 0,
        }
        headers = {"Content-Type": "application/json"}
        if os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {os.environ[TOKEN]}"
        request = urllib.request.Request(step.url, json.dumps(asked).encode(), headers, method="POST")  # noqa: S310 checked above
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 the scheme is http or https
            raw = answer.read()
        try:
            return str(json.loads(raw)["choices"][0]["message"]["content"]).strip()
        except (ValueError, LookupError, TypeError):
            raise self._refused("did not answer with choices[0].message.content") from None

    def _refused(self, reason: str) -> DataError:
        return DataError(f"The endpoint {self._step.url} {reason}. What it has said so far is kept; try again later.")
