"""A child process that speaks frames: what it sends is passed on, and it never outlives the command that needs it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple

from remote_agent.contract.frames import Frame, FrameError, FrameReader, encode_frame
from remote_agent.supervisor.talk import CommandError, Talk

_PR_SET_PDEATHSIG = 1
_STDERR_BYTES = 8 << 10
_READ_BYTES = 1 << 18
_TIDY_UP_S = 2.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def child_environment(extra: Optional[Dict[str, str]] = None) -> Dict[str, str]:
    """Return this process's environment without what changes a Python from outside, with additions."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.update(extra or {})
    return kept


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies; runs in the child before its program starts."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def framed_child(
    talk: Talk, argv: Sequence[str], environment: Dict[str, str], arguments: Dict[str, Any], hears_client: bool = False
) -> Any:
    """Run a child that takes a request frame and answers as the agent does; return its result's value.

    Its frames but the last go to the client as they are. A cancel or the client's end kills it and all it started.
    Where it ``hears_client``, what the client sends after the request goes to its standard input.

    Raises:
        CommandError: its own error frame, a cancel, or that it ended without a result; then with its last words.
    """
    child, last_words = _start(argv, environment)
    talk.when_aborted(lambda: _ask_to_end(child))
    try:
        outcome = _converse(talk, child, arguments, hears_client)
    finally:
        kill_session(child)
        child.wait()
        last_words.join()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
    talk.check()
    if outcome is None:
        raise CommandError(
            "{} ended with code {}. {}".format(os.path.basename(argv[0]), child.returncode, last_words.text()).strip()
        )
    if outcome.kind == "error":
        raise CommandError(str(outcome.head.get("sentence", "")), str(outcome.head.get("kind", "failed")))
    return outcome.head.get("value")


def _start(argv: Sequence[str], environment: Dict[str, str]) -> "Tuple[subprocess.Popen[bytes], LastWords]":
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    except OSError as error:
        raise CommandError("{} cannot be started: {}.".format(argv[0], error.strerror), "no_python") from None
    assert child.stderr is not None
    return child, LastWords(child.stderr.fileno())


def _converse(
    talk: Talk, child: "subprocess.Popen[bytes]", arguments: Dict[str, Any], hears_client: bool
) -> Optional[Frame]:
    """Send the request and pass frames on until the last; None where the child ended without one."""
    assert child.stdout is not None
    with contextlib.suppress(BrokenPipeError):  # what it printed says why
        _tell(child, Frame({"frame": "request", "arguments": arguments}))
    if hears_client:
        threading.Thread(target=_pass_on, args=(talk, child), name="to-child", daemon=True).start()
    reader = FrameReader()
    while True:
        data = os.read(child.stdout.fileno(), _READ_BYTES)
        if not data:
            return None
        try:
            frames = reader.feed(data)
        except FrameError as error:
            raise CommandError("The child process printed what is no frame: {}.".format(error)) from None
        for frame in frames:
            if frame.kind in ("result", "error"):
                return frame
            talk.send(frame.kind, frame.body, **{key: value for key, value in frame.head.items() if key != "frame"})


def _tell(child: "subprocess.Popen[bytes]", frame: Frame) -> None:
    """Write a frame to the child's standard input. Raises BrokenPipeError where it listens no more."""
    assert child.stdin is not None
    child.stdin.write(encode_frame(frame))
    child.stdin.flush()


def _pass_on(talk: Talk, child: "subprocess.Popen[bytes]") -> None:
    """Give the child the client's frames until either is gone."""
    while True:
        frame = talk.receive()
        if frame is None:
            return
        try:
            _tell(child, frame)
        except (BrokenPipeError, ValueError):  # it ended, or its pipe was closed once it had
            return


def _ask_to_end(child: "subprocess.Popen[bytes]") -> None:
    """Let a child tidy up what it was writing, for as long as nobody minds, then kill it."""
    signal_session(child, signal.SIGTERM)
    killer = threading.Timer(_TIDY_UP_S, kill_session, [child])
    killer.daemon = True
    killer.start()


def kill_session(child: "subprocess.Popen[bytes]") -> None:
    """Kill a child that leads its own session, with everything in it."""
    signal_session(child, signal.SIGKILL)


def signal_session(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Signal everything in a child's own session, unless it was waited for and its id may be another's."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)


class LastWords(threading.Thread):
    """Drains a pipe and keeps the last 8 KiB."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="last-words", daemon=True)
        self._descriptor = os.dup(descriptor)
        self._kept = b""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        while True:
            data = os.read(self._descriptor, 1 << 16)
            if not data:
                os.close(self._descriptor)
                return
            self._kept = (self._kept + data)[-_STDERR_BYTES:]

    def text(self, lines: int = 12) -> str:
        """Return the last lines."""
        return "\n".join(self._kept.decode("utf-8", "replace").strip().splitlines()[-lines:])


def script(agent_dir: str, *parts: str) -> List[str]:
    """Return the arguments that run a file of the agent with an interpreter: isolated, without writing bytecode."""
    return ["-I", "-B", os.path.join(agent_dir, "remote_agent", *parts)]
