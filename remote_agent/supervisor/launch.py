"""How the ranks of a run are started: what launch.json says, and the command and environment made from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import socket
from typing import Any, Dict, List, Mapping, Tuple

from remote_agent.contract.run_dir import ENVIRONMENTS, LAUNCH, RUN_MARK, SCRATCH
from remote_agent.contract.wire import from_wire

STOP_GRACE_S = 60.0
TERM_GRACE_S = 10.0

# copied from the node's own environment; everything else stays behind
_KEPT = frozenset(
    (
        "HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX",
        "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "CC", "CXX", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HF_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "HF_ENDPOINT",
    )
)  # fmt: skip
_KEPT_PREFIXES = ("LC_", "NVIDIA_", "NCCL_", "TORCH_NCCL_", "GLOO_", "ROCM_", "HIP_")


@dataclasses.dataclass(frozen=True)
class Launch:
    """launch.json: everything the supervisor needs beside job.json.

    ``stop_grace_s`` is the time the ranks have to save and end after a stop, ``term_grace_s`` the time between SIGTERM
    and SIGKILL. ``zero_stage`` is -1 where ranks and stage are the job's. ``gpus`` are the UUIDs that the ranks may
    see, one each and in their order; empty leaves it to the node.
    """

    python: str
    agent_dir: str
    model_path: str
    data_folder: str
    home: str
    ranks: int
    threads_per_rank: int
    extensions_dir: str
    use_gpu: bool
    bundle: Mapping[str, Any]
    stop_grace_s: float = STOP_GRACE_S
    term_grace_s: float = TERM_GRACE_S
    zero_stage: int = -1
    gpus: Tuple[str, ...] = ()


def read_launch(run_dir: str) -> Launch:
    """Return what launch.json says. Raises OSError, or ValueError where it is damaged."""
    with open(os.path.join(run_dir, LAUNCH), encoding="utf-8") as file:
        return from_wire(Launch, json.load(file))


def own_agent_dir() -> str:
    """Return the folder that holds the package this code runs from."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def threads_per_rank(wanted: int, cores: int, ranks: int) -> int:
    """Return the CPU threads of each rank: what the job wants, 0 for the cores divided by the ranks."""
    return wanted or max(1, cores // max(1, ranks))


def extensions_dir(home: str, python: str, versions: Mapping[str, str]) -> str:
    """Return the folder of what DeepSpeed compiles for one environment and its versions of torch and deepspeed."""
    told = json.dumps([os.path.abspath(python), versions.get("torch", ""), versions.get("deepspeed", "")])
    key = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return os.path.join(home, ENVIRONMENTS, key, "torch_extensions")


def trainer_command(run_dir: str, launch: Launch, attempt: int, resume: str) -> Tuple[List[str], Dict[str, str]]:
    """Return arguments and environment of the ranks' launcher.

    Args:
        run_dir: the run's folder, absolute.
        launch: what launch.json says.
        attempt: counts starts of the ranks, from 1.
        resume: the folder name of the checkpoint to go on from, empty to begin at the start.
    """
    arguments = [
        launch.python, "-m", "torch.distributed.run", "--nnodes=1", "--nproc-per-node={}".format(launch.ranks),
        "--rdzv-backend", "static", "--master-addr", "127.0.0.1", "--master-port", str(_free_port()),
        "--max-restarts=0", os.path.join(launch.agent_dir, "remote_agent", "trainer", "__main__.py"),
        "--run-dir", run_dir, "--attempt", str(attempt),
    ]  # fmt: skip
    if resume:
        arguments += ["--resume", resume]
    if launch.zero_stage >= 0:
        arguments += ["--shape", "{},{}".format(launch.ranks, launch.zero_stage)]
    environment = rank_environment(launch, os.path.join(run_dir, SCRATCH))
    environment[RUN_MARK] = "{}/{}".format(os.path.basename(run_dir), attempt)
    return arguments, environment


def rank_environment(launch: Launch, scratch: str) -> Dict[str, str]:
    """Return the ranks' environment, without the run's mark; temporary files go to ``scratch``."""
    environment = {
        name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    # DeepSpeed looks for ninja on the PATH, and pip puts it beside the interpreter
    beside = os.path.dirname(launch.python)
    environment["PATH"] = os.pathsep.join(part for part in (beside, environment.get("PATH", os.defpath)) if part)
    environment.update(
        OMP_NUM_THREADS=str(launch.threads_per_rank),
        TORCH_EXTENSIONS_DIR=launch.extensions_dir,
        TMPDIR=scratch,
        TRITON_CACHE_DIR=os.path.join(scratch, "triton"),
        TOKENIZERS_PARALLELISM="false",
        HF_HUB_OFFLINE="1",
        PYTHONNOUSERSITE="1",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONUNBUFFERED="1",
    )
    if not launch.use_gpu:
        environment["DS_ACCELERATOR"] = "cpu"
    elif len(launch.gpus) >= launch.ranks:  # a resume with more ranks than were chosen takes what the node has
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(launch.gpus[: launch.ranks])
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
