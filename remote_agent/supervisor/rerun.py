"""The command `rerun`: an exported bundle run again in the foreground of a terminal, and its losses compared."""

from __future__ import annotations

import os
import re
import secrets
import signal
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from remote_agent.contract.bundle import Bundle, BundleAmendment
from remote_agent.contract.events import FINISHED, Amended, Evaluated, StepCompleted
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.run_dir import INBOX, JOURNAL, RANK0_WRITER, SUPERVISOR_WRITER, run_id
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.run_files.inbox import Command, put_command
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.journal_segments import read_events
from remote_agent.run_files.private_folder import UnsafeFolderError, make_private
from remote_agent.supervisor.bundle_check import (
    BundleError,
    Comparison,
    check_files,
    compare,
    find_input,
    is_like_hardware,
    read_bundle,
    with_ranks,
)
from remote_agent.supervisor.launch import read_launch
from remote_agent.supervisor.lease import take_lease
from remote_agent.supervisor.new_run import make_launch, make_run_dir
from remote_agent.supervisor.prepare import prepare_data, prepare_environment
from remote_agent.supervisor.ranks import become_subreaper
from remote_agent.supervisor.run_record import RunRecord, read_record
from remote_agent.supervisor.supervise import NODE_WRITER
from remote_agent.supervisor.supervision import Supervision
from remote_agent.supervisor.talk import CommandError
from remote_agent.supervisor.terminal import RunDisplay, Terminal

DONE, RUN_FAILED, BAD_INPUT, LOSSES_DIFFER = 0, 1, 2, 3
HOME_VARIABLE = "LUTHIER_AGENT_HOME"
USAGE = (
    "rerun --bundle DIR --out DIR --python PATH [--model PATH] [--data PATH] [--data-2 PATH ...] [--held-out PATH] "
    "[--nproc N] [--verify]"
)
_OPTIONS = re.compile(r"(bundle|out|python|model|data(-[1-9][0-9]*)?|held-out|nproc)\Z")


class _Inputs(NamedTuple):
    model: str
    data: List[str]
    held_out: str


def rerun(arguments: List[str]) -> int:
    """Return 0 where the run finished (and its losses are the original's), 1 where it failed, 2 for a bad input, 3
    where the losses differ."""
    terminal = Terminal()
    try:
        options = _options(arguments)
        bundle, spec = read_bundle(options["bundle"])
        spec = with_ranks(spec, bundle, int(options.get("nproc") or 0))
        inputs = _inputs(terminal, options, bundle)
        home = make_private(os.environ.get(HOME_VARIABLE) or "~/.luthier")
        run_dir, environment = _prepare(terminal, home, options, spec, bundle, inputs)
    except (BundleError, UnsafeFolderError) as error:
        terminal.complain(str(error))
        return BAD_INPUT
    except CommandError as error:
        terminal.complain(error.sentence)
        return BAD_INPUT if error.kind in ("bad_request", "not_found", "no_python") else RUN_FAILED
    state, reason = _run(terminal, run_dir, bundle.amendments)
    if state != FINISHED:
        terminal.complain("The run is {}. {} Its files: {}".format(state, reason, run_dir))
        return RUN_FAILED
    terminal.say("The run is finished. Its files: {}".format(run_dir))
    if "verify" not in options:
        return DONE
    return _verify(terminal, bundle, run_dir, environment)


def _options(arguments: List[str]) -> Dict[str, str]:
    options: Dict[str, str] = {}
    left = list(arguments)
    while left:
        name = left.pop(0)[2:] if left[0].startswith("--") else ""
        if name == "verify":
            options[name] = "yes"
        elif _OPTIONS.match(name) and left:
            options[name] = left.pop(0)
        else:
            raise BundleError("Usage: {}".format(USAGE))
    if not all(options.get(name) for name in ("bundle", "out", "python")):
        raise BundleError("Usage: {}".format(USAGE))
    if options.get("nproc") and not (options["nproc"].isdigit() and int(options["nproc"]) > 0):
        raise BundleError("NPROC is {!r}; it has to be a whole number of at least 1.".format(options["nproc"]))
    return options


def _inputs(terminal: Terminal, options: Mapping[str, str], bundle: Bundle) -> _Inputs:
    """Find the inputs and check their hashes before anything is started. Raises BundleError."""
    folder = options["bundle"]
    terminal.say("Checking the inputs' hashes.")
    wanted = [("MODEL", bundle.model, options.get("model", "")), ("DATA", bundle.data, options.get("data", ""))]
    for number, about in enumerate(bundle.more_data, 2):
        wanted.append(("DATA_{}".format(number), about, options.get("data-{}".format(number), "")))
    if bundle.held_out is not None:
        wanted.append(("HELD_OUT", bundle.held_out, options.get("held-out", "")))
    paths = []
    for variable, about, given in wanted:
        path = find_input(folder, given, about, variable)
        wrong = check_files(path, about)
        if wrong:
            raise BundleError("{}: {}".format(variable, " ".join(wrong[:3])))
        paths.append(path)
    held_out = paths.pop() if bundle.held_out is not None else ""
    return _Inputs(paths[0], paths[1:], held_out)


def _prepare(
    terminal: Terminal, home: str, options: Mapping[str, str], spec: JobSpec, bundle: Bundle, inputs: _Inputs
) -> Tuple[str, Dict[str, Any]]:
    """Prepare environment and data and make the run directory; return it with what environment.json says."""
    environment = prepare_environment(terminal, home, spec, os.path.abspath(os.path.expanduser(options["python"])))
    asked = {
        "job": spec_to_dict(spec),
        "model_path": inputs.model,
        "data_paths": inputs.data,
        "held_out_path": inputs.held_out,
    }
    answer = prepare_data(terminal, home, environment["python"], asked)
    terminal.end_line()
    for wanted, found in (
        (bundle.data.content_hash, answer["prepared"].get("content_hash")),
        (bundle.held_out.content_hash if bundle.held_out else "", answer["prepared"].get("held_out_content_hash")),
    ):
        if wanted and wanted != found:
            raise BundleError("The prepared rows are not the original's: their hash is {}.".format(str(found)[:16]))
    os.makedirs(options["out"], mode=0o700, exist_ok=True)
    name = run_id(time.strftime("%y%m%d-%H%M%S", time.gmtime()), secrets.token_bytes(8))
    run_dir = os.path.join(os.path.abspath(options["out"]), name)
    launch = make_launch(home, spec, environment, inputs.model, answer["data_folder"], {})
    make_run_dir(run_dir, spec, launch, environment)
    return run_dir, environment


def _run(terminal: Terminal, run_dir: str, amendments: Sequence[BundleAmendment]) -> Tuple[str, str]:
    """Run the ranks in the foreground and return the final state with its reason. An interrupt stops the run."""
    folder, name = os.path.join(run_dir, JOURNAL), os.path.basename(run_dir)
    holder = take_lease(run_dir)
    assert holder is not None, run_dir
    become_subreaper()
    journal = JournalWriter(folder, SUPERVISOR_WRITER, name, time.time)
    for one in amendments:
        journal.write(Amended(1, one.from_step, one.field, one.value, at_start=True))
    supervision = Supervision(
        run_dir,
        read_launch(run_dir),
        holder,
        RunRecord(),
        journal,
        JournalWriter(folder, NODE_WRITER, name, time.time),
    )
    display = RunDisplay(terminal, run_dir)

    def interrupt(number: int, frame: object) -> None:
        put_command(os.path.join(run_dir, INBOX), Command("interrupt-" + secrets.token_hex(4), "stop", {"save": False}))

    before = signal.signal(signal.SIGINT, interrupt), signal.signal(signal.SIGTERM, interrupt)
    try:
        supervision.begin()
        supervision.launch({})
        supervision.watch(display.wait)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
        supervision.close()
        display.close()
    record = read_record(run_dir)
    return record.state, record.reason


def _verify(terminal: Terminal, bundle: Bundle, run_dir: str, environment: Mapping[str, Any]) -> int:
    if not bundle.losses:
        terminal.complain("The bundle holds no losses to compare with.")
        return BAD_INPUT
    bit_for_bit = is_like_hardware(bundle, environment)
    events = [event for _, event in read_events(os.path.join(run_dir, JOURNAL), RANK0_WRITER)]
    losses = {event.step: event.loss for event in events if isinstance(event, StepCompleted)}
    held_out = {event.step: event.loss for event in events if isinstance(event, Evaluated)}
    results = {"training": compare(bundle.losses, losses, bit_for_bit, bundle.tolerance)}
    if bundle.held_out_losses:
        results["held-out"] = compare(bundle.held_out_losses, held_out, bit_for_bit, bundle.tolerance)
    for name in results:
        terminal.say(_told(name, results[name], bundle.tolerance))
    return DONE if all(result.equal for result in results.values()) else LOSSES_DIFFER


def _told(name: str, result: Comparison, tolerance: float) -> str:
    rule = "bit for bit" if result.bit_for_bit else "within a relative difference of {:g}".format(tolerance)
    if result.equal:
        return "{} {} losses equal the original's {} (largest difference {:.2g}).".format(
            result.compared, name, rule, result.largest
        )
    return "{} of {} {} losses differ, {} are missing; compared {}; {}.".format(
        result.differing, result.compared, name, result.missing, rule, result.first or "none was there to compare"
    )
