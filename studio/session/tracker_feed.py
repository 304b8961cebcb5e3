"""Feeding a tracker from the library, in a process of its own: for nodes without internet, and for runs of before."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from remote_agent.contract.journal_line import parse_line
from remote_agent.contract.run_dir import RANK0_WRITER, SUPERVISOR_WRITER
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.contract.tracker_points import POINT_KINDS
from remote_agent.contract.tracker_spec import (
    MLFLOW,
    TENSORBOARD,
    TRACKER_NAMES,
    TRACKIO,
    WANDB,
    Tracker,
    address_problem,
    recipe_of,
)
from studio.remote.deploy import agent_source
from studio.store.library import Library
from studio.store.rows import Cursor, RunRow

_AGAIN = 75
"""The feed's exit code where the run went back a stretch and has to be told anew."""
_START, _WANTED = b'{"k":"training"', tuple(f'{{"k":"{kind}"'.encode() for kind in (*POINT_KINDS, "training", "state"))
_WRITERS = (RANK0_WRITER, SUPERVISOR_WRITER)


_LOOK = {
    TENSORBOARD: "tensorboard --logdir {folder}",
    WANDB: "wandb sync {folder}/wandb/offline-run-*",
    MLFLOW: "MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {folder}",
    TRACKIO: "TRACKIO_DIR={folder} trackio show",
}


def how_to_look(kind: str, folder: Path) -> str:
    """Return a sentence with the command that shows, or sends, what a tracker has in a run's folder."""
    shown = folder.parent if kind == TENSORBOARD else folder
    return f"To look at it: {_LOOK[kind].format(folder=shown)}"


def asked_tracker(row: RunRow, kind: str, online: bool, server: str = "", project: str = "", name: str = "") -> Tracker:
    """Return the tracker that is asked for; what is left empty is the job's.

    Raises:
        ValueError: it has no address to send to, or one that is none.
    """
    if kind == TENSORBOARD and (online or server):
        raise ValueError("TensorBoard's files stay here; leave --online away.")
    said = spec_from_json(row.job).trackers
    if online and not server:
        server = {MLFLOW: said.mlflow_server, TRACKIO: said.trackio_space}.get(kind, said.wandb_server)
    problem = address_problem(kind, server) if server else ""
    if problem:
        raise ValueError(problem)
    if online and not server and kind in (MLFLOW, TRACKIO):
        what = "the address of its server" if kind == MLFLOW else "a Space, org/name"
        raise ValueError(f"{TRACKER_NAMES[kind]} needs {what}.")
    return Tracker(
        kind, online, project or said.project, name or said.run_name.strip() or row.name, server if online else ""
    )


class TrackerFeedError(ValueError):
    """The tracker took nothing, or not all; says why."""


class TrackerFeed:
    """One tracker, told what the library has of a run.

    Args:
        library: where the run's journal is kept.
        row: the run.
        tracker: what is fed.
        folder: where the tracker keeps what stays on this computer; TensorBoard gets a folder in it for the run.
        secrets: the tracker's keys by the names of its library.
        python: the interpreter that has the tracker's library; empty for the studio's own.
    """

    def __init__(
        self,
        library: Library,
        row: RunRow,
        tracker: Tracker,
        folder: Path,
        secrets: Mapping[str, str],
        python: str = "",
    ) -> None:
        self._library, self._run_id = library, row.run_id
        self.folder = folder.absolute() / row.run_id if tracker.kind == TENSORBOARD else folder.absolute()
        self._python = python or sys.executable
        self._name = TRACKER_NAMES[tracker.kind]
        self._request: dict[str, Any] = {
            "tracker": tracker._asdict(),
            "run_id": row.run_id,
            "folder": str(self.folder),
            "recipe": recipe_of(spec_from_json(row.job)),
            "secrets": dict(secrets),
        }
        self._child: subprocess.Popen[bytes] | None = None
        self._said: list[str] = []
        self._listener: threading.Thread | None = None
        self._told: dict[str, Cursor] = {}
        self._is_going = False

    def push(self) -> None:
        """Tell what the library has that was not told yet. Raises TrackerFeedError, StoreError."""
        while not self._pushed():
            code = self._ended()
            if code not in (0, _AGAIN):
                raise TrackerFeedError(self._reason(code))

    def finish(self) -> None:
        """Tell the rest and wait until the tracker has it. Raises TrackerFeedError, StoreError."""
        while True:
            self.push()
            assert self._child is not None and self._child.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()
            code = self._ended()
            if code == 0:
                return
            if code != _AGAIN:
                raise TrackerFeedError(self._reason(code))

    def abandon(self) -> None:
        """End the process, whatever it has left to send."""
        self.kill()
        if self._child is not None:
            self._ended()

    def kill(self) -> None:
        """Kill the process; a thread that waits for it goes on."""
        child = self._child
        if child is not None:
            child.kill()

    def _pushed(self) -> bool:
        """Say whether all went into the process; it may have ended meanwhile, or have to be told anew."""
        if self._child is None:
            self._begin()
        assert self._child is not None and self._child.stdin is not None
        if self._child.poll() is not None:
            return False
        begins_again = False
        try:
            for lines in self._new_lines():
                # the begins of attempts that were known when it began are in its request
                begins_again = begins_again or (lines.count(_START) > 0 and self._is_going)
                self._child.stdin.write(lines)
            self._child.stdin.flush()
            self._is_going = True
            if begins_again:
                self._child.stdin.close()
        except BrokenPipeError:
            return False
        return not begins_again

    def _begin(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in self._request["secrets"]}
        script = agent_source() / "trackers" / "__main__.py"
        try:
            self._child = subprocess.Popen(
                [self._python, "-B", str(script), self._request["tracker"]["kind"]], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            )  # fmt: skip
        except OSError as error:
            raise TrackerFeedError(f"{self._python} cannot be started: {error.strerror}.") from None
        self._said = []
        self._listener = threading.Thread(target=self._listen, args=(self._child,), name="tracker", daemon=True)
        self._listener.start()
        self._told, self._is_going = {}, False
        request = {**self._request, "starts": list(self._starts())}
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(json.dumps(request).encode("utf-8") + b"\n")

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        self._said += [line.decode("utf-8", "replace").strip() for line in child.stdout]

    def _ended(self) -> int:
        child, self._child = self._child, None
        assert child is not None and self._listener is not None
        code = child.wait()
        self._listener.join()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        return code

    def _starts(self) -> Iterator[Any]:
        """Yield the bodies of the lines that tell the begin of an attempt."""
        for block in self._library.blocks(self._run_id):
            if block.writer == RANK0_WRITER:
                for raw in block.body.splitlines():
                    line = parse_line(raw) if _START in raw[:64] else None
                    if line is not None:
                        yield json.loads(line.body)

    def _new_lines(self) -> Iterator[bytes]:
        """Yield the lines that a tracker needs of what was not told yet."""
        for block in self._library.blocks(self._run_id, self._told):
            if block.writer in _WRITERS:
                lines = block.body.splitlines(keepends=True)
                yield b"".join(line for line in lines if any(kind in line[:64] for kind in _WANTED))
            self._told[block.writer] = block.end

    def _reason(self, code: int) -> str:
        if self._said:
            return " ".join(self._said)
        return f"{self._name} was not fed: its process ended with code {code}."
