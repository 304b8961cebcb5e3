"""DeepSpeed's operators, compiled ahead into the environment's folder, once, so that no rank ever waits for it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from typing import Dict, List

from remote_agent.contract.job_spec import JobSpec
from remote_agent.run_files.atomic_write import atomic_write
from remote_agent.supervisor.child import LastWords, die_with_parent, kill_session, script
from remote_agent.supervisor.launch import own_agent_dir
from remote_agent.supervisor.talk import CommandError, Talk

SHARED_MEMORY, FUSED_ADAM = "ShareMemCommBuilder", "FusedAdamBuilder"
PHASE = "environment"
_TICK_S = 0.2


def operators_needed(spec: JobSpec, has_gpus: bool) -> List[str]:
    """Return the builders of what DeepSpeed compiles when such a run begins.

    On a CPU its process group wants the shared-memory all-reduce. With GPUs nothing is compiled but FusedAdam where
    the recipe asks for it: all other optimizers are PyTorch's own.
    """
    if not has_gpus:
        return [SHARED_MEMORY]
    fused = spec.optimizer.kind == "adamw" and spec.optimizer.adam_kernel == "deepspeed"
    return [FUSED_ADAM] if fused else []


def build_operators(talk: Talk, python: str, folder: str, environment: Dict[str, str], names: List[str]) -> None:
    """Compile what is not compiled yet into ``folder``, one builder at a time on this node, telling the progress.

    Raises:
        CommandError: the compiler failed, with its last lines; or the client cancelled.
        OSError: the folder cannot be written.
    """
    missing = [name for name in names if not os.path.exists(_marker(folder, name))]
    if not missing:
        talk.progress(PHASE, len(names), len(names), "operators")
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for_lock(talk, lock)
        for index, name in enumerate(names):
            talk.progress(PHASE, index, len(names), "operators")
            if not os.path.exists(_marker(folder, name)):
                _remove_stale_locks(folder)
                _build(talk, python, folder, environment, name)
                atomic_write(_marker(folder, name), b"built\n")
        talk.progress(PHASE, len(names), len(names), "operators")
    finally:
        os.close(lock)


def _marker(folder: str, name: str) -> str:
    return os.path.join(folder, "{}.built".format(name))


def _wait_for_lock(talk: Talk, lock: int) -> None:
    while True:
        talk.check()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            talk.progress(PHASE, 0, 0, "waiting for another build")
            talk.aborted.wait(_TICK_S)


def _remove_stale_locks(folder: str) -> None:
    """Remove torch's own lock files: one left by a killed build makes every later one wait for ever."""
    for parent, _, names in os.walk(folder):
        if "lock" in names:
            os.unlink(os.path.join(parent, "lock"))


def _build(talk: Talk, python: str, folder: str, environment: Dict[str, str], name: str) -> None:
    # of a CPU's operators DeepSpeed has two kinds; without the word it looks for the machine's own GPU
    of_cpu = {"DS_ACCELERATOR": "cpu"} if name == SHARED_MEMORY else {}
    child = subprocess.Popen(
        [python, *script(own_agent_dir(), "supervisor", "build_operators.py"), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment, TORCH_EXTENSIONS_DIR=folder, MAX_JOBS=str(os.cpu_count() or 1), **of_cpu),
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    talk.when_aborted(lambda: kill_session(child))
    assert child.stdout is not None
    words = LastWords(child.stdout.fileno())
    begun = time.monotonic()
    while child.poll() is None:
        talk.progress(PHASE, round(time.monotonic() - begun, 1), 0.0, "s compiling {}".format(name))
        try:
            child.wait(_TICK_S)
        except subprocess.TimeoutExpired:
            continue
    words.join()
    child.stdout.close()
    talk.check()
    if child.returncode != 0:
        why = "signal {}".format(signal.Signals(-child.returncode).name) if child.returncode < 0 else ""
        raise CommandError(
            "DeepSpeed's operator {} could not be compiled{}:\n{}".format(
                name, " (" + why + ")" if why else "", words.text()
            )
        )
