"""The session with a child that looks at data: reports come as they are made, questions are answered meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.frames import Frame
from studio.remote.answers import answer_as
from studio.remote.call import Call, OnProgress, Progress, progress_of
from studio.remote.errors import AgentFailed, LinkError, RemoteError

QUICK_S, IDLE_S = 0.01, 0.05
_QUICK_FOR_S = 5.0
_THE_LOOK = 0  # the id of a failure that answers no question; ours count from 1

Answer = dict[str, Any]
OnAnswer = Callable[[Answer], None]
OnFailed = Callable[[RemoteError], None]


class Reported(NamedTuple):
    """A report of the data as of the job of a ``version``: the one that the session began with is 0."""

    version: int
    report: DataReport


class LookFailed(NamedTuple):
    """The look at the whole data ended before it was done; questions are still answered."""

    error: AgentFailed


Told = Reported | LookFailed | Progress


class _Asked(NamedTuple):
    on_answer: OnAnswer
    on_failed: OnFailed


class DataStream:
    """An open session. One thread receives, and every callback runs on it; any thread may `ask` and `close`.

    Pings go out by themselves while `receive` is called; it has to be called at least every few seconds.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        self._waiting: deque[tuple[int, str, Mapping[str, Any]]] = deque()
        self._asked: dict[int, _Asked] = {}
        self._ended: RemoteError | None = None
        self._closing = threading.Event()
        self._asked_at_s = 0.0

    @property
    def heard_s(self) -> float:
        """Return the `time.monotonic` of the agent's last word."""
        return self._call.heard_s

    @property
    def is_over(self) -> bool:
        """Say whether the session has ended, so that nothing is answered any more."""
        return self._ended is not None

    def ask(self, what: str, arguments: Mapping[str, Any], on_answer: OnAnswer, on_failed: OnFailed) -> None:
        """Ask for something of the protocol: table, row, batching, step, job or losses; returns at once.

        Exactly one of the two is called: on the receiving thread, or here and now where the session is over.
        """
        with self._guard:
            ended = self._ended
            if ended is None:
                number = next(self._numbers)
                self._asked[number] = _Asked(on_answer, on_failed)
                self._waiting.append((number, what, dict(arguments)))
        if ended is not None:
            on_failed(ended)

    def begin(self, arguments: Mapping[str, Any]) -> None:
        """Tell a session that waits for them its inputs, as the agent's commands take them; returns at once.

        Reports are of version 0 then. Where the inputs cannot be looked at, the session ends, as one opened with them.
        """
        self.ask("job", arguments, lambda value: None, lambda error: None)

    def receive(self, timeout_s: float) -> list[Told]:
        """Send what was asked, and return what arrived beside answers, [] where that was nothing.

        Raises RemoteError where the session is over, after every open question was told so: Cancelled and LinkError as
        `Call.receive`, AgentFailed where the data cannot be looked at at all.
        """
        until = time.monotonic() + timeout_s
        try:
            while True:
                self._stop_if_closed()
                self._send()
                left = until - time.monotonic()
                frames = self._call.receive(max(0.0, min(self._slice_s(), left)))
                if frames or left <= 0:
                    return [told for told in map(self._take, frames) if told is not None]
        except RemoteError as error:
            self._end(error)
            raise

    def whole_report(self, on_progress: OnProgress | None = None) -> DataReport:
        """Receive until the whole data was looked at. Raises RemoteError, also where that failed."""
        while True:
            for told in self.receive(1.0):
                if isinstance(told, LookFailed):
                    raise told.error
                if isinstance(told, Reported) and told.report.complete:
                    return told.report
                if isinstance(told, Progress) and on_progress is not None:
                    on_progress(told)

    def answer(self, what: str, arguments: Mapping[str, Any], on_progress: OnProgress | None = None) -> Answer:
        """Ask and receive until the answer is there, for whoever has nothing else to do; reports are passed over.

        Raises RemoteError, also where this one question failed.
        """
        answers: list[Answer] = []
        failures: list[RemoteError] = []
        self.ask(what, arguments, answers.append, failures.append)
        while not answers and not failures:
            for told in self.receive(1.0):
                if on_progress is not None and isinstance(told, Progress):
                    on_progress(told)
        if failures:
            raise failures[0]
        return answers[0]

    def close(self) -> None:
        """End the session; the thread that receives sees it within a moment. Safe from every thread, also twice."""
        self._closing.set()

    def finish(self) -> None:
        """End the session from the thread that receives, so that nothing of it is left."""
        self._closing.set()
        self._end(LinkError("The look at the data was ended."))

    def _slice_s(self) -> float:
        """Return how long to wait for the agent before the next look at what was asked.

        While somebody scrolls the wait is short; a session that nobody asks anything wakes up less often.
        """
        return QUICK_S if time.monotonic() - self._asked_at_s < _QUICK_FOR_S else IDLE_S

    def _send(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    return
                number, what, arguments = self._waiting.popleft()
            self._asked_at_s = time.monotonic()
            self._call.send("ask", id=number, what=what, arguments=arguments)

    def _take(self, frame: Frame) -> Told | None:
        head = frame.head
        if frame.kind == "report":
            version = head.get("version", 0)
            return Reported(version if isinstance(version, int) else 0, answer_as(DataReport, head.get("value")))
        if frame.kind == "progress":
            return progress_of(frame)
        if frame.kind == "failed" and head.get("id") == _THE_LOOK:
            return LookFailed(_failure(frame))
        if frame.kind in ("answer", "failed"):
            self._answered(frame)
        elif frame.kind == "result":
            raise AgentFailed("The look at the data ended before it was done.", "failed")
        return None

    def _answered(self, frame: Frame) -> None:
        number = frame.head.get("id")
        with self._guard:
            asked = self._asked.pop(number, None) if isinstance(number, int) else None
        if asked is None:
            return
        value = frame.head.get("value")
        if frame.kind == "failed":
            asked.on_failed(_failure(frame))
        elif isinstance(value, dict):
            asked.on_answer(value)
        else:
            asked.on_failed(AgentFailed("The agent's answer cannot be read: expected an object.", "failed"))

    def _stop_if_closed(self) -> None:
        if self._closing.is_set():
            raise LinkError("The look at the data was ended.")

    def _end(self, error: RemoteError) -> None:
        """Let go of the channel and tell everybody who still waits; once."""
        with self._guard:
            if self._ended is not None:
                return
            self._ended = error
            left, self._asked = tuple(self._asked.values()), {}
            self._waiting.clear()
        self._call.close()
        for asked in left:
            asked.on_failed(error)


def _failure(frame: Frame) -> AgentFailed:
    sentence = str(frame.head.get("sentence", "The agent failed and did not say why."))
    return AgentFailed(sentence, str(frame.head.get("kind", "failed")))
