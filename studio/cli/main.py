"""The command line: what is understood, which command answers, and how errors become sentences and exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from remote_agent.contract.data_spec import SHAPES
from remote_agent.contract.node_folders import FOLDERS
from remote_agent.contract.range_test import HIGHEST, LOWEST, UPDATES
from remote_agent.contract.spec_json import SpecError
from remote_agent.contract.tracker_spec import TRACKER_KINDS
from studio import __version__
from studio.cli import (
    estimate_command,
    exchange_commands,
    import_run_command,
    inspect_command,
    job_commands,
    node_commands,
    range_test_command,
    run_commands,
    track_command,
)
from studio.cli.desk import Desk, complain, say
from studio.cli.exit_codes import BAD_INPUT, INTERRUPTED, NEEDS_PERSON, OK, RUN_FAILED, UNREACHABLE
from studio.exchange.exporting import TARGETS
from studio.exchange.formats import FORMATS
from studio.remote.errors import AgentFailed, LinkError, NeedsPerson, NodeRefused, RemoteError
from studio.session.reach import LOCAL_NODE
from studio.store.rows import StoreError

Command = Callable[[argparse.Namespace, Desk], int]

_EPILOG = (
    "Exit codes: 0 all well, 1 the run failed, 2 the input is wrong or the job has problems, 3 the node was not "
    "reached or refused, 4 a person is needed (host key, login). Without a command the window opens."
)


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are said on standard error."""
    arguments = _parser().parse_args(argv)
    command: Command = arguments.command
    desk = Desk()
    try:
        return command(arguments, desk)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return OK  # the reader, such as head, has seen enough
    except SpecError as error:
        for mistake in error.mistakes:
            complain(mistake)
        return BAD_INPUT
    except (RemoteError, StoreError) as error:
        complain(error.sentence)
        return _remote_code(error)
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}." if error.filename else str(error))
        return BAD_INPUT
    except ValueError as error:
        complain(str(error))
        return BAD_INPUT
    finally:
        desk.close()


def _remote_code(error: RemoteError | StoreError) -> int:
    if isinstance(error, NeedsPerson):
        return NEEDS_PERSON
    if isinstance(error, AgentFailed):
        return BAD_INPUT if error.kind in ("bad_request", "not_found") else RUN_FAILED
    if isinstance(error, LinkError | NodeRefused):
        return UNREACHABLE
    return RUN_FAILED


def _version(arguments: argparse.Namespace, desk: Desk) -> int:
    say(f"luthier {__version__}")
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="luthier", description="Full-parameter fine-tuning of language models.", epilog=_EPILOG
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_job_commands(commands)
    _add_run_commands(commands)
    _add_node_commands(commands)
    _add(commands, "version", _version, "say the version")
    return parser


def _add_job_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = _add(commands, "check", job_commands.check, "say what stands against a job", json=True)
    check.add_argument("job", type=Path, metavar="JOB.yaml")
    schedule = _add(commands, "schedule", job_commands.schedule, "show the learning rate over the run", json=True)
    schedule.add_argument("job", type=Path, metavar="JOB.yaml")
    schedule.add_argument("--steps", type=_count, default=0, help="length of the run in updates")
    schedule.add_argument("--sequences", type=_count, default=0, help="training sequences, to count steps from")
    schedule.add_argument("--tokens", type=_count, default=0, help="tokens an epoch, for spans given in tokens")
    schedule.add_argument("--rows", type=_count, default=24, help="about how many lines to show (default 24)")
    _add_estimate(commands)
    inspect = _add(commands, "inspect", inspect_command.inspect, "look at data under a model's tokenizer", json=True)
    inspect.add_argument("data", nargs="*", type=Path, metavar="DATA", help="files or folders; default: the job's")
    inspect.add_argument("--model", type=Path, metavar="FOLDER", help="whose tokenizer; default: the job's")
    inspect.add_argument("--job", type=Path, metavar="JOB.yaml", help="take shape, length, steps and so on from a job")
    inspect.add_argument("--held-out", type=Path, metavar="FILE", help="rows that are never trained on")
    inspect.add_argument("--length", type=_count, default=0, help="sequence length in tokens")
    inspect.add_argument("--shape", choices=SHAPES, help="how a row is read")
    inspect.add_argument("--html", type=Path, metavar="FILE", help="write the whole report as one file to send on")
    _add_exchange_commands(commands)


def _add_estimate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    estimate = _add(commands, "estimate", estimate_command.estimate, "say what a GPU will hold", json=True)
    estimate.add_argument("job", type=Path, nargs="?", metavar="JOB.yaml")
    estimate.add_argument("--parameters", type=_count, default=0, help="for a model that is not on this computer")
    estimate.add_argument("--gpus", type=_count, default=0, help="another number of GPUs than the job's")
    estimate.add_argument("--gpu", default="", metavar="NAME", help="a GPU of the table, such as H100-80GB")
    estimate.add_argument("--fit", action="store_true", help="propose what fits the GPU, the global batch kept")
    estimate.add_argument("--trace", action="store_true", help="trace the model itself, for one GPU; needs torch here")
    estimate.add_argument("--updates", type=_count, default=0, help="with --gpu: hours, cost and energy of so many")
    estimate.add_argument("--price", type=_price, default=0.0, help="an hour of one GPU; default: the table's, if any")
    estimate.add_argument("--examples", action="store_true", help="worked examples of 70B and 405B, LoRA and QLoRA")
    estimate.add_argument("--table", type=Path, metavar="FILE.csv", help="compare with a table of published peaks")
    estimate.add_argument("--out", type=Path, metavar="FILE", help="with --table: the table with the predictions added")


def _add_exchange_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = _add(commands, "export", exchange_commands.export_job, "write a run or a job as a bundle or for a tool")
    export.add_argument("what", nargs="?", metavar="RUN|JOB.yaml")
    export.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    formats = (exchange_commands.BUNDLE, *TARGETS, exchange_commands.JOB_YAML, exchange_commands.JSON_SCHEMA)
    export.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    export.add_argument("--pack", action="store_true", help="put model and data inside a bundle")
    taken = _add(
        commands, "import-run", import_run_command.import_runs, "take a run's folder into the library", json=True
    )
    taken.add_argument(
        "paths", nargs="+", type=Path, metavar="FOLDER", help="of a run of Luthier, TensorBoard or W&B (offline)"
    )
    take = _add(commands, "import", exchange_commands.import_config, "make a job of another tool's file", json=True)
    take.add_argument("file", type=Path, metavar="FILE", help="YAML or JSON")
    take.add_argument("--output", "-o", type=Path, metavar="JOB.yaml", help="write the job")
    take.add_argument("--from", dest="origin", choices=tuple(FORMATS), help="default: told from the keys")
    take.add_argument("--gpus", type=_count, default=0, help="on how many GPUs it ran")
    take.add_argument("--rows", type=_count, default=0, help="rows of its training data")
    take.add_argument("--every", action="store_true", help="show the tool's defaults too")
    diff = _add(commands, "diff", exchange_commands.diff, "say what differs between two jobs", json=True)
    for name in ("first", "second"):
        diff.add_argument(name, metavar="RUN|JOB.yaml|BUNDLE")


def _add_run_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = _add(commands, "run", run_commands.run, "start a job on a node and follow it", json=True)
    run.add_argument("job", type=Path, metavar="JOB.yaml")
    run.add_argument("--node", default=LOCAL_NODE, metavar="NAME", help=f"default: {LOCAL_NODE}")
    run.add_argument("--detach", action="store_true", help="return as soon as the run is started")
    _add_range_test(commands)
    attach = _add(commands, "attach", run_commands.attach, "follow a run to its end", json=True)
    attach.add_argument("run", metavar="RUN")
    attach.add_argument("--node", default="", metavar="NAME", help="for a run that this library does not know")
    stop = _add(commands, "stop", run_commands.stop, "stop a run after the update it is in")
    stop.add_argument("run", metavar="RUN")
    resume = _add(commands, "resume", run_commands.resume, "let an ended run go on from its last checkpoint", json=True)
    resume.add_argument("run", metavar="RUN")
    resume.add_argument("--node", default="", metavar="NAME", help="for a run that this library does not know")
    resume.add_argument("--python", default="", metavar="PATH", help="another interpreter on the node for the ranks")
    resume.add_argument("--gpus", type=_count, default=0, metavar="N", help="another number; the global batch stays")
    resume.add_argument("--zero-stage", type=int, choices=(1, 2, 3), help="go on at this ZeRO stage")
    resume.add_argument("--detach", action="store_true", help="return as soon as the run goes on")
    stop.add_argument("--no-save", dest="save", action="store_false", help="without a checkpoint")
    _add_track(commands)
    runs = _add(commands, "runs", run_commands.list_runs, "list the runs of the library", json=True)
    runs.add_argument("--node", default="", metavar="NAME", help="ask a node instead")


def _add_range_test(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "find a learning rate: a short run in which it rises"
    test = _add(commands, "range-test", range_test_command.range_test, about, json=True)
    test.add_argument("job", type=Path, metavar="JOB.yaml")
    test.add_argument("--node", default=LOCAL_NODE, metavar="NAME", help=f"default: {LOCAL_NODE}")
    test.add_argument("--low", type=float, default=LOWEST, metavar="RATE", help=f"where it begins (default {LOWEST:g})")
    test.add_argument(
        "--high", type=float, default=HIGHEST, metavar="RATE", help=f"where it ends (default {HIGHEST:g})"
    )
    test.add_argument("--updates", type=_count, default=UPDATES, help=f"updates in between (default {UPDATES})")
    test.add_argument("--output", "-o", type=Path, metavar="JOB.yaml", help="write the job with the suggested peak")


def _add_track(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    track = _add(commands, "track", track_command.track, "feed a tracker with a run, ended or going on")
    track.add_argument("run", metavar="RUN")
    track.add_argument("--to", choices=TRACKER_KINDS, required=True, help="the tracker")
    track.add_argument("--dir", type=Path, metavar="DIR", help="where it lies on this computer: ./tracking/TRACKER")
    track.add_argument("--online", action="store_true", help="send it, with the key that is kept or set; else it stays")
    track.add_argument("--server", default="", metavar="ADDRESS", help="with --online: a server, or trackio's Space")
    track.add_argument("--project", default="", metavar="NAME", help="default: the job's")
    track.add_argument("--name", default="", metavar="NAME", help="what the run is called there; default: the job's")
    track.add_argument(
        "--python", default="", metavar="PATH", help="an interpreter here that has the tracker's package"
    )
    track.add_argument("--node", default="", metavar="NAME", help="for a run that this library does not know")


def _add_node_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    nodes = commands.add_parser("nodes", help="list, add, remove and probe nodes").add_subparsers(
        required=True, metavar="COMMAND"
    )
    _add_labels(_add(nodes, "list", node_commands.list_nodes, "list the nodes, all or some", json=True))
    add = _add(nodes, "add", node_commands.add_node, "keep a node under a name")
    add.add_argument("name", metavar="NAME")
    add.add_argument("target", metavar="[USER@]HOST[:PORT]", help="HOST may be a name of your ssh config")
    add.add_argument("--identity", default="", metavar="FILE", help="private key")
    add.add_argument("--jump", default="", metavar="HOSTS", help="hosts to go through, as ssh -J takes them")
    add.add_argument("--system-ssh", action="store_true", help="use the system's ssh, for Kerberos or keys on tokens")
    add.add_argument("--home", default="~/.luthier", metavar="FOLDER", help="the agent's folder there")
    add.add_argument("--python", default="", metavar="PATH", help="the Python that has the trainer's packages")
    for name, what in (("proxy", "proxy"), ("index", "package index"), ("hub", "Hub")):
        add.add_argument(f"--{name}", default="", metavar="URL", help=f"the {what} that the node itself is to use")
    _add_labels(add)
    label = _add(nodes, "label", node_commands.label_node, "put a node into a group and give it tags")
    label.add_argument("name", metavar="NAME")
    _add_labels(label)
    folders = _add(nodes, "folders", node_commands.place_folders, "say where the folders lie, or place them", json=True)
    folders.add_argument("name", metavar="NAME")
    folders.add_argument(
        "--place", action="append", metavar="FOLDER=PATH", help=f"{', '.join(FOLDERS)}; no PATH: in the agent's home"
    )
    remove = _add(nodes, "remove", node_commands.remove_node, "forget a node")
    remove.add_argument("name", metavar="NAME")
    probe = _add(nodes, "probe", node_commands.probe_node, "reach a node and say what it is", json=True)
    probe.add_argument("name", metavar="NAME")
    probe.add_argument("--accept", default="", metavar="FINGERPRINT", help="accept the host key that has it")


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--group", metavar="GROUP", help="the group of the node in the address book")
    parser.add_argument("--tag", action="append", metavar="TAG", help="a tag of the node; may be given several times")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Command,
    about: str,
    json: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    parser.set_defaults(command=command, json=False)
    if json:
        parser.add_argument("--json", action="store_true", help="for another program to read")
    return parser


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of 1 or more")
    return number


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = 0.0
    if not 0.0 < price < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no price above 0")
    return price
