"""Runs a command of the agent in a process of its own, as a client would, and returns its frames."""

from __future__ import annotations

import os
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from remote_agent.contract.frames import Frame, FrameReader, encode_frame, greeting

SOURCE_TREE = Path(__file__).parent.parent.parent


class Answer(NamedTuple):
    """What a command answered: every frame, and the last one's value or error."""

    frames: list[Frame]
    value: dict[str, Any] | None
    error: str
    kind: str

    def of_kind(self, kind: str) -> list[Frame]:
        """Return the frames of a kind."""
        return [frame for frame in self.frames if frame.kind == kind]

    @property
    def result(self) -> dict[str, Any]:
        """Return the value; fails with the agent's sentence where there is none."""
        assert self.value is not None, self.error or "the agent ended without a result"
        return self.value


class AgentProcess:
    """A command of the agent that runs; use it as a context, which ends it.

    Args:
        command: the command's name.
        home: the agent's home folder.
        arguments: the request's arguments.
        agent_dir: the folder that holds the package ``remote_agent``.
        python: the interpreter that runs it.
        environment: what is added to this process's environment.
        network: how the node gets to the outside.
    """

    def __init__(
        self,
        command: str,
        home: Path,
        arguments: Mapping[str, Any],
        agent_dir: Path = SOURCE_TREE,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        network: Mapping[str, str] | None = None,
    ) -> None:
        self._nonce = secrets.token_hex(16)
        self._reader = FrameReader()
        self._greeted = False
        self._raw = b""
        self._frames: list[Frame] = []
        self.process = subprocess.Popen(
            [python, "-I", "-B", str(agent_dir / "remote_agent" / "__main__.py"), command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        told: dict[str, Any] = {"network": dict(network)} if network else {}
        self.send("request", nonce=self._nonce, home=str(home), arguments=dict(arguments), **told)

    def send(self, kind: str, body: bytes = b"", **head: Any) -> None:
        """Send a frame to the agent."""
        assert self.process.stdin is not None
        self.process.stdin.write(encode_frame(Frame({**head, "frame": kind}, body)))
        self.process.stdin.flush()

    def receive(self, timeout_s: float = 10.0) -> Frame | None:
        """Return the next frame, None at the end. Raises TimeoutError."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while not self._frames:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError("the agent sent nothing")
            data = os.read(self.process.stdout.fileno(), 1 << 18)
            if not data:
                return None
            self._take(data)
        return self._frames.pop(0)

    def until(self, kind: str, timeout_s: float = 10.0) -> list[Frame]:
        """Return the frames up to and with the first of a kind, or all at the end."""
        frames: list[Frame] = []
        while (frame := self.receive(timeout_s)) is not None:
            frames.append(frame)
            if frame.kind == kind:
                break
        return frames

    def answer(self, timeout_s: float = 30.0) -> Answer:
        """Read to the end and return everything."""
        frames: list[Frame] = []
        while (frame := self.receive(timeout_s)) is not None:
            frames.append(frame)
        last = frames[-1] if frames else Frame({})
        value = last.head.get("value") if last.kind == "result" else None
        is_error = last.kind == "error"
        sentence, kind = (str(last.head.get(name, "")) if is_error else "" for name in ("sentence", "kind"))
        return Answer(frames, value, sentence, kind)

    def close_input(self) -> None:
        """Be gone, as far as the agent can tell."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close(self) -> None:
        """End the process and release its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def __enter__(self) -> AgentProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, data: bytes) -> None:
        if self._greeted:
            self._frames += self._reader.feed(data)
            return
        self._raw += data
        _, mark, after = self._raw.partition(greeting(self._nonce))
        if mark:
            self._greeted = True
            self._frames += self._reader.feed(after)


def agent_call(
    command: str,
    home: Path,
    arguments: Mapping[str, Any] | None = None,
    *,
    agent_dir: Path = SOURCE_TREE,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 30.0,
) -> Answer:
    """Run a one-shot command to its end and return its answer."""
    with AgentProcess(command, home, arguments or {}, agent_dir, environment=environment) as agent:
        return agent.answer(timeout_s)
