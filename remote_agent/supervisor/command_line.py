"""Which command was asked for, and the one place where its error becomes a frame."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from typing import Any, Callable, Dict, List, NamedTuple

from remote_agent.contract.node_network import NodeNetwork
from remote_agent.contract.run_dir import DATA, ENVIRONMENTS, MODELS, RUNS, UPLOADS
from remote_agent.contract.spec_json import SpecError
from remote_agent.contract.wire import from_wire
from remote_agent.run_files.private_folder import UnsafeFolderError, make_private
from remote_agent.supervisor.talk import CommandError, Talk, group_argument, text_argument

REQUEST_TIMEOUT_S = 60.0

Handler = Callable[[Talk, str, Dict[str, Any]], Dict[str, Any]]

# named, not imported: a command loads its own modules alone, which halves its start and keeps the supervisor small
_COMMANDS = {
    "probe": "probe.probe",
    "browse": "browse.browse",
    "inspect": "inspect.inspect",
    "receive": "receive.receive",
    "hub": "hub.hub",
    "environment": "build_environment.environment",
    "collective": "collective.collective",
    "prepare": "prepare.prepare",
    "start": "start.start",
    "resume": "resume.resume",
    "attach": "attach.attach",
    "command": "command.send_command",
    "runs": "run_list.list_runs",
    "fetch": "fetch.fetch",
    "remove": "remove.remove",
    "tell": "tell.tell",
    "folders": "node_folders.folders",
}
_WITHOUT_FRAMES = {"rerun": "rerun.rerun", "supervise": "supervise.supervise", "notify": "notify.notify"}


class _Request(NamedTuple):
    nonce: str
    home: str
    arguments: Dict[str, Any]
    network: Any


def run(arguments: List[str]) -> int:
    """Run the command of an argument list and return the exit code: 0 done, 1 it failed, 2 no such command."""
    os.umask(0o077)
    name = arguments[0] if arguments else ""
    if name in _WITHOUT_FRAMES:
        return int(_load(_WITHOUT_FRAMES[name])(arguments[1:]))
    if name in _COMMANDS:
        return _answer(_load(_COMMANDS[name]))
    sys.stderr.write("Commands: {}, rerun.\n".format(", ".join(_COMMANDS)))
    return 2


def _load(place: str) -> Callable[..., Any]:
    module, _, function = place.partition(".")
    found: Callable[..., Any] = getattr(importlib.import_module("remote_agent.supervisor." + module), function)
    return found


def _answer(handler: Handler) -> int:
    talk = Talk()
    # the frames' channel is ours alone: what a library or child prints goes to standard error
    signal.signal(signal.SIGTERM, lambda number, frame: talk.abort())
    talk.start()
    nonce = ""
    try:
        request = _request(talk)
        nonce = request.nonce
        talk.greet(nonce)
        home = make_home(request.home)
        os.environ.update(
            _network(request.network).environment(os.environ)
        )  # for all that this process starts, a run too
        talk.send("result", value=handler(talk, home, request.arguments))
        return 0
    except CommandError as error:
        sentence, kind = error.sentence, error.kind
    except (UnsafeFolderError, SpecError) as error:
        sentence, kind = str(error), "bad_request"
    except OSError as error:
        sentence, kind = os_error_sentence(error), _os_error_kind(error)
    except Exception as error:
        talk.send("error", sentence="The agent failed: {}: {}".format(type(error).__name__, error), kind="failed")
        raise
    talk.send("error", sentence=sentence, kind=kind)
    return 1


def _request(talk: Talk) -> _Request:
    frame = talk.receive(REQUEST_TIMEOUT_S)
    if frame is None or frame.kind != "request":
        raise CommandError("The talk has to begin with a request.", "bad_request")
    nonce = text_argument(frame.head, "nonce")
    if not nonce.isalnum() or not nonce.isascii():
        raise CommandError("The nonce has to be letters and digits.", "bad_request")
    arguments = group_argument(frame.head, "arguments")
    return _Request(nonce, text_argument(frame.head, "home"), arguments, frame.head.get("network") or {})


def _network(told: Any) -> NodeNetwork:
    try:
        network = from_wire(NodeNetwork, told)
    except ValueError as error:
        raise CommandError("The node's network cannot be read: {}.".format(error), "bad_request") from None
    problem = network.problem()
    if problem:
        raise CommandError(problem, "bad_request")
    return network


def make_home(home: str) -> str:
    """Make the agent's home and the folders in it where they are missing, and return its absolute path.

    Raises:
        UnsafeFolderError: someone else could write there.
        OSError: it cannot be made.
    """
    home = make_private(home)
    for name in (RUNS, DATA, MODELS, ENVIRONMENTS, UPLOADS):
        folder = os.path.join(home, name)
        if not os.path.isdir(folder) and not os.path.islink(folder):  # a link may lead to a disk that is not mounted
            make_private(folder)
    return home


def os_error_sentence(error: OSError) -> str:
    """Return what a person is told about an error of the system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The node's disk is full ({}); free some space and try again.".format(error.filename or "no file named")
    return "{}{}.".format(error.strerror or error, ": " + str(error.filename) if error.filename else "")


def _os_error_kind(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full"
    return "not_found" if error.errno == errno.ENOENT else "failed"
