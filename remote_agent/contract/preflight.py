"""What has to hold on a node before a launch, each as one finding: told from a probe, so that it costs no time."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Tuple

from remote_agent.contract.attention import NONE, flash_attention
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory import disk, host_memory, setup_of_job
from remote_agent.contract.model_facts import UnknownModelError
from remote_agent.contract.node_folders import folder_of, free_bytes
from remote_agent.contract.node_report import Gpu, NodeReport, Survey
from remote_agent.contract.problem import ERROR, WARNING, Fix, Known, Problem
from remote_agent.contract.tracker_spec import OFF, TRACKER_NAMES, TRACKER_PACKAGES, trackers_of

GOOD = "good"
"""The severity of a finding that holds; the others are a problem's."""

DRIVER, GPUS, MEMORY, SHARED_MEMORY, DISK, LIMITS, PORTS, CLOCK, LOGOUT, ATTENTION, TRACKERS = (
    "driver", "gpus", "memory", "shm", "disk", "limits", "ports", "clock", "logout", "attention", "trackers",
)  # fmt: skip
BUSY_BYTES = 1 << 30
"""A GPU of which more is taken is used by somebody; an idle one holds some hundred MiB for the driver."""

CLOCK_S = 60.0
LEAST_OPEN_FILES, LEAST_PROCESSES = 1024, 512
_GIB = float(1 << 30)
_SHM_A_RANK = 64 << 20
_LEAST_DRIVER = ((13, 580), (12, 525), (11, 450))
"""NVIDIA's table of the oldest Linux driver for each major CUDA, newest first; minor versions are compatible."""


class Finding(NamedTuple):
    """One thing that was looked at; ``severity`` is GOOD, or a problem's."""

    key: str
    severity: str
    sentence: str = ""
    fix: Optional[Fix] = None


def preflight(spec: JobSpec, known: Known) -> Tuple[Finding, ...]:
    """Return a finding for each thing that can be told; none before the node was looked at.

    Args:
        spec: the job.
        known: its node with a survey, and its model for what depends on sizes.
    """
    node = known.node
    if node is None or node.survey is None:
        return ()
    found: List[Finding] = []
    if node.gpus:
        found += [_driver(node, node.survey), _gpus(spec, known, node, node.survey)]
    found += _sizes(spec, known, node)
    found += [_shared_memory(spec, node.survey), _limits(spec, node.survey), _ports(node.survey), _clock(node)]
    found += _logout(node, node.survey)
    found += [*_attention(spec, node), *_trackers(spec, node)]
    return tuple(found)


def preflight_problems(spec: JobSpec, known: Known) -> Tuple[Problem, ...]:
    """Return what does not hold as problems of the node, errors first."""
    found = [each for each in preflight(spec, known) if each.severity != GOOD]
    found.sort(key=lambda each: each.severity != ERROR)
    return tuple(Problem(each.severity, "node", each.sentence, each.fix) for each in found)


def cuda_of_torch(version: str) -> str:
    """Return the CUDA that a build of torch is for, "cpu" for one without, empty where its version tells neither."""
    _, _, local = version.partition("+")
    if local == "cpu":
        return "cpu"
    digits = local[2:] if local.startswith("cu") else ""
    return "{}.{}".format(digits[:-1], digits[-1]) if len(digits) > 2 and digits.isdigit() else ""


def least_driver(cuda: str) -> int:
    """Return the major version of the oldest driver that serves a CUDA version, 0 where it is not known."""
    major = cuda.partition(".")[0]
    return next((driver for of, driver in _LEAST_DRIVER if major.isdigit() and int(major) == of), 0)


def _driver(node: NodeReport, survey: Survey) -> Finding:
    packages = node.interpreter.packages if node.interpreter is not None else ()
    torch = next((each.version for each in packages if each.name == "torch"), "")
    cuda = cuda_of_torch(torch)
    if cuda == "cpu":
        return Finding(
            DRIVER, ERROR, "torch {} is built for the CPU alone; install a build for CUDA {} or older.".format(
                torch, survey.cuda or "of the driver"),
        )  # fmt: skip
    needed, there = least_driver(cuda), survey.driver.partition(".")[0]
    if needed and there.isdigit() and int(there) < needed:
        return Finding(
            DRIVER, ERROR,
            "torch {} needs an NVIDIA driver of at least {}; the node has {}, which serves CUDA {}. "
            "Choose a Python with a torch for that, or update the driver.".format(
                torch, needed, survey.driver, survey.cuda or "?"),
        )  # fmt: skip
    return Finding(DRIVER, GOOD)


def free_gpus(node: NodeReport) -> Tuple[Gpu, ...]:
    """Return the GPUs that nobody uses."""
    busy = {each.gpu for each in node.survey.gpu_processes} if node.survey is not None else set()
    return tuple(gpu for gpu in node.gpus if gpu.memory_used_bytes <= BUSY_BYTES and gpu.uuid not in busy)


def picked_gpus(node: NodeReport, ranks: int, chosen: Tuple[str, ...] = ()) -> Tuple[Gpu, ...]:
    """Return the GPUs that a run of so many ranks takes: the chosen ones, else free ones, else the first.

    Args:
        node: its last probe.
        ranks: one GPU each.
        chosen: the UUIDs that a person chose; what is not on the node any more does not count.
    """
    mine = tuple(gpu for gpu in node.gpus if gpu.uuid in chosen)
    if len(mine) >= ranks:
        return mine[:ranks]
    free = free_gpus(node)
    return free[:ranks] if len(free) >= ranks else node.gpus[:ranks]


def uuids_to_take(node: NodeReport, ranks: int, chosen: Tuple[str, ...] = ()) -> Tuple[str, ...]:
    """Return the UUIDs of the GPUs that a start names; none where there are too few, which the node then says."""
    picked = picked_gpus(node, ranks, chosen)
    return tuple(gpu.uuid for gpu in picked) if len(picked) == ranks and all(gpu.uuid for gpu in picked) else ()


def _gpus(spec: JobSpec, known: Known, node: NodeReport, survey: Survey) -> Finding:
    free = free_gpus(node)
    busy = [gpu for gpu in picked_gpus(node, spec.strategy.ranks, known.gpus) if gpu not in free]
    if not busy:
        return Finding(GPUS, GOOD)
    said = "; ".join(_holder(gpu, survey) for gpu in busy[:3])
    more = " and {} more".format(len(busy) - 3) if len(busy) > 3 else ""
    idle = ", ".join(str(gpu.index) for gpu in free) or "none"
    return Finding(GPUS, WARNING, "{}{}; free is {}.".format(said, more, idle))


def _holder(gpu: Gpu, survey: Survey) -> str:
    holders = [each for each in survey.gpu_processes if each.gpu == gpu.uuid]
    used = "GPU {} is in use, {:.1f} GiB of it".format(gpu.index, gpu.memory_used_bytes / _GIB)
    who = ", ".join(
        "{} (process {}{})".format(each.name or "a program", each.pid, " of " + each.user if each.user else "")
        for each in holders[:3]
    )
    return "{} by {}".format(used, who) if who else used


def _sizes(spec: JobSpec, known: Known, node: NodeReport) -> Iterator[Finding]:
    """Yield what host memory and disk have to hold, where the model is known."""
    if known.model is None:
        return
    try:
        setup = setup_of_job(spec, known.model.config, known.model.parameters).setup
    except UnknownModelError:
        return
    if node.gpus and node.memory_available_bytes:
        needed = host_memory(setup, spec.loading.workers, spec.loading.pin_memory).used.likely
        if needed > node.memory_available_bytes:
            yield Finding(
                MEMORY, ERROR if needed > node.memory_total_bytes else WARNING,
                "The processes take about {:.1f} GiB of the host's memory (estimated); {:.1f} GiB are free.".format(
                    needed / _GIB, node.memory_available_bytes / _GIB),
            )  # fmt: skip
        else:
            yield Finding(MEMORY, GOOD)
    saving = spec.checkpointing
    keep = max(1, saving.keep_last)
    written = [term for term in disk(setup, keep, saving.state_every_steps > 0).terms if term[0] != "model"]
    needed = sum(size for _, size in written)
    free, place = free_bytes(node, "checkpoints"), folder_of(node, "checkpoints")
    if needed <= free:
        yield Finding(DISK, GOOD)
        return
    one = sum(size for name, size in disk(setup, 1, saving.state_every_steps > 0).terms if name != "model")
    fix = Fix("Keep 1", (("checkpointing.keep_last", 1),)) if keep > 1 and one <= free else None
    yield Finding(
        DISK, ERROR,
        "The checkpoints planned take up to {:.1f} GiB (estimated), one being written while {} are kept; "
        "{} has {:.1f} GiB left.".format(needed / _GIB, keep, place.path if place else node.home, free / _GIB),
        fix,
    )  # fmt: skip


def _shared_memory(spec: JobSpec, survey: Survey) -> Finding:
    needed = _SHM_A_RANK * max(1, spec.strategy.ranks)
    if (spec.strategy.ranks < 2 and not spec.loading.workers) or survey.shm_free_bytes >= needed:
        return Finding(SHARED_MEMORY, GOOD)
    fix = Fix("Load in the ranks", (("loading.workers", 0),)) if spec.loading.workers else None
    return Finding(
        SHARED_MEMORY, WARNING,
        "/dev/shm has {} MiB free and {} processes talk through it, about {} MiB; "  # noqa: S108 only named
        "start the container with a larger one, such as --shm-size=8g.".format(
            survey.shm_free_bytes >> 20, spec.strategy.ranks, needed >> 20),
        fix,
    )  # fmt: skip


def _limits(spec: JobSpec, survey: Survey) -> Finding:
    limits = survey.limits
    if 0 <= limits.open_files < LEAST_OPEN_FILES:
        return Finding(
            LIMITS, ERROR if limits.open_files < 64 * (1 + spec.strategy.ranks) else WARNING,
            "A process may have {} files open (ulimit -n); {} are wanted. Raise it in the login shell's start-up "
            "file with: ulimit -n 65536".format(limits.open_files, LEAST_OPEN_FILES),
        )  # fmt: skip
    if 0 <= limits.processes < LEAST_PROCESSES:
        return Finding(
            LIMITS, WARNING,
            "The user may have {} processes and threads (ulimit -u); {} are wanted for {} ranks.".format(
                limits.processes, LEAST_PROCESSES, spec.strategy.ranks),
        )  # fmt: skip
    if limits.file_bytes >= 0:
        return Finding(
            LIMITS, WARNING,
            "A file may have {} MiB at most (ulimit -f); a checkpoint may be larger.".format(limits.file_bytes >> 20),
        )  # fmt: skip
    return Finding(LIMITS, GOOD)


def _ports(survey: Survey) -> Finding:
    if survey.ports_open:
        return Finding(PORTS, GOOD)
    return Finding(
        PORTS, ERROR,
        "No port can be opened on 127.0.0.1, through which the processes find each other; is loopback up?",
    )  # fmt: skip


def _clock(node: NodeReport) -> Finding:
    ahead = node.clock_offset_s
    if abs(ahead) <= CLOCK_S:
        return Finding(CLOCK, GOOD)
    return Finding(
        CLOCK, WARNING,
        "The node's clock is {:.0f} s {} this computer's. Nothing depends on it but the times that are shown, and "
        "certificates of the Hub.".format(abs(ahead), "ahead of" if ahead > 0 else "behind"),
    )  # fmt: skip


def _attention(spec: JobSpec, node: NodeReport) -> Iterator[Finding]:
    """Yield whether the node can compute the attention that the job asks for; PyTorch's own is always there."""
    if spec.strategy.attention != "flash_attention_2" or not node.gpus or node.interpreter is None:
        return
    found = flash_attention(node)
    if found.by != NONE or not node.interpreter.extras:
        yield Finding(ATTENTION, GOOD)
        return
    yield Finding(
        ATTENTION, ERROR,
        "The job asks for FlashAttention 2, and {}. It is not compiled unasked; PyTorch's own attention (SDPA) needs "
        "nothing.".format(found.why),
        Fix("Use SDPA", (("strategy.attention", "sdpa"),)),
    )  # fmt: skip


def _trackers(spec: JobSpec, node: NodeReport) -> Iterator[Finding]:
    """Yield whether the libraries of the job's trackers are in the interpreter that feeds them."""
    wanted = [tracker.kind for tracker in trackers_of(spec) if tracker.kind in TRACKER_PACKAGES]
    found = node.interpreter
    if not wanted or found is None or not found.extras:
        return
    lacking = [kind for kind in wanted if not any(found.optional(name) for name in (kind, TRACKER_PACKAGES[kind]))]
    if not lacking:
        yield Finding(TRACKERS, GOOD)
        return
    packages = " ".join(TRACKER_PACKAGES[kind] for kind in lacking)
    yield Finding(
        TRACKERS, WARNING,
        "{} lacks the library of {}, so nothing would get there, while the run itself goes on. Install it for that "
        "Python: pip install {}".format(
            found.path, " and ".join(TRACKER_NAMES[kind] for kind in lacking), packages),
        Fix("Switch off", tuple(("trackers." + kind, OFF) for kind in lacking)),
    )  # fmt: skip


def _logout(node: NodeReport, survey: Survey) -> Iterator[Finding]:
    if survey.kills_user_processes == "yes":
        if survey.lingers == "yes":
            yield Finding(LOGOUT, GOOD)
        else:
            yield Finding(
                LOGOUT, WARNING,
                "The node ends a user's processes at logout, and with them the run. Allow them to stay with: "
                "loginctl enable-linger {}".format(node.user),
            )  # fmt: skip
