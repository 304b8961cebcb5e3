"""The wide look at a node: what runs on its GPUs, disks, Pythons, limits and ways out, all asked at the same time."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import socket
import subprocess
import threading
import time
from typing import Any, Callable, Dict, List, Tuple, TypeVar
from urllib.parse import urlsplit

from remote_agent.contract.node_network import HUB_NAME, INDEX_NAME
from remote_agent.contract.node_report import Interpreter, Limits, Reached, Survey
from remote_agent.supervisor.gpu_facts import gpu_links, gpu_processes, parse_driver
from remote_agent.supervisor.interpreters import environments_with_torch, package_index
from remote_agent.supervisor.node_disks import disks
from remote_agent.supervisor.node_facts import cpu_model

MOST_S = 1.0
"""What has not answered by then is left out, so that the whole probe stays under two seconds."""

_SMI_S = 5.0
_HUB = "https://huggingface.co"
_HUB_MODELS = 50
_PROCESS_QUERY = ("nvidia-smi", "--query-compute-apps=gpu_uuid,pid,name,used_memory")

Found = TypeVar("Found")


def survey(home: str, has_gpus: bool, python: str, wide: bool) -> Survey:
    """Return the survey of this node.

    Args:
        home: the agent's home.
        has_gpus: whether nvidia-smi is there to be asked.
        python: the trainer's interpreter, which knows the package index.
        wide: also look for other environments, try the disks' speed and the ways out; a launch needs none of these.
    """
    begun = time.monotonic()
    found = _at_once(_tasks(home, has_gpus, python, wide), MOST_S)
    interpreters: Tuple[Interpreter, ...] = found.get("interpreters", ())
    driver, cuda = found.get("driver", ("", ""))
    lingers, kills = found.get("session", ("", ""))
    total, free = _shared_memory()
    cache, models = hub_cache()
    late = {what: Reached(what, "", "did not answer within {:g} s".format(MOST_S)) for what in ("hub", "index")}
    return Survey(
        cpu=cpu_model(),
        shm_total_bytes=total,
        shm_free_bytes=free,
        driver=driver,
        cuda=cuda,
        gpu_processes=found.get("processes", ()),
        gpu_links=found.get("links", ()),
        disks=found.get("disks", ()),
        interpreters=interpreters,
        scheduler=found.get("scheduler", ""),
        limits=limits(),
        lingers=lingers,
        kills_user_processes=kills,
        ports_open=_can_listen(),
        hub_cache=cache,
        hub_models=models,
        hub_kernels=_hub_kernels(cache),
        reached=tuple(found.get(what, late[what]) for what in ("hub", "index")) if wide else (),
        took_s=round(time.monotonic() - begun, 3),
    )


def _tasks(home: str, has_gpus: bool, python: str, wide: bool) -> Dict[str, Callable[[], Any]]:
    tasks: Dict[str, Callable[[], Any]] = {
        "disks": lambda: disks(home, with_rate=wide),
        "scheduler": _scheduler,
        "session": _session_rules,
    }
    if wide:
        tasks.update(
            interpreters=lambda: environments_with_torch(home),
            hub=lambda: _reach("hub", os.environ.get(HUB_NAME) or _HUB),
            index=lambda: _reach("index", os.environ.get(INDEX_NAME) or package_index(python)),
        )
    if has_gpus:
        tasks.update(
            links=lambda: gpu_links(_told(["nvidia-smi", "topo", "-m"])),
            processes=lambda: gpu_processes(_told([*_PROCESS_QUERY, "--format=csv,noheader,nounits"])),
            driver=lambda: parse_driver(_told(["nvidia-smi"])),
        )
    return tasks


def _at_once(tasks: Dict[str, Callable[[], Any]], most_s: float) -> Dict[str, Any]:
    """Do all tasks at the same time; those that failed or are late have no result."""
    found: Dict[str, Any] = {}

    def work(name: str) -> None:
        try:
            found[name] = tasks[name]()
        except (OSError, ValueError):
            return

    threads = [threading.Thread(target=work, args=(name,), name=name, daemon=True) for name in tasks]
    deadline = time.monotonic() + most_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


def limits() -> Limits:
    """Return the soft limits of this process, which its children have too."""

    def soft(name: int) -> int:
        value = resource.getrlimit(name)[0]
        return -1 if value == resource.RLIM_INFINITY else int(value)

    return Limits(
        soft(resource.RLIMIT_NOFILE), soft(resource.RLIMIT_NPROC), soft(resource.RLIMIT_MEMLOCK),
        soft(resource.RLIMIT_FSIZE),
    )  # fmt: skip


def hub_cache() -> Tuple[str, Tuple[str, ...]]:
    """Return the Hub library's own cache folder and the models that lie there with weights; empty where none is."""
    home = os.environ.get("HF_HOME") or os.path.join("~", ".cache", "huggingface")
    cache = os.path.expanduser(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub"))
    if not os.path.isdir(cache):
        return "", ()
    models: List[str] = []
    for name in sorted(os.listdir(cache)):
        snapshots = os.path.join(cache, name, "snapshots")
        if name.startswith("models--") and os.path.isdir(snapshots) and len(models) < _HUB_MODELS:
            revisions = os.listdir(snapshots)
            if any(_has_weights(os.path.join(snapshots, revision)) for revision in revisions):
                models.append(name[len("models--") :].replace("--", "/"))
    return cache, tuple(models)


def _hub_kernels(cache: str) -> Tuple[str, ...]:
    """Return the repositories of compiled kernels in the Hub's cache, such as kernels-community/flash-attn2."""
    found = []
    for name in sorted(os.listdir(cache)) if cache else ():
        kind, _, repository = name.partition("--")
        if kind in ("kernels", "models") and repository.startswith("kernels-"):
            found.append(repository.replace("--", "/"))
    return tuple(found)


def _has_weights(folder: str) -> bool:
    try:
        return any(name.endswith(".safetensors") for name in os.listdir(folder))
    except OSError:
        return False


def _shared_memory() -> Tuple[int, int]:
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 measured, never written to
    except OSError:
        return 0, 0
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _can_listen() -> bool:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            probe.listen(1)
            return True
    except OSError:
        return False


def _scheduler() -> str:
    """Return the scheduler's name and version, empty where the node has none."""
    return _told(["sinfo", "--version"]).strip().split("\n")[0][:80] if shutil.which("sinfo") else ""


def _session_rules() -> Tuple[str, str]:
    """Return whether this user lingers, and whether a logout ends the user's processes, as systemd tells it."""
    if not shutil.which("loginctl"):
        return "", ""
    linger = _told(["loginctl", "show-user", str(os.geteuid()), "--property=Linger", "--value"]).strip()
    kills = _told(
        [
            "busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager", "KillUserProcesses",
        ]
    ).split()  # fmt: skip
    if linger not in ("yes", "no"):
        linger = "yes" if os.path.exists("/var/lib/systemd/linger/" + os.environ.get("USER", "?")) else ""
    return linger, {"true": "yes", "false": "no"}.get(kills[-1] if kills else "", "")


def _reach(what: str, address: str) -> Reached:
    """Open a connection to a server, or to the proxy that the node's settings name for it, and close it again."""
    if not address:
        return Reached(what, "", "no address is configured")
    wanted = urlsplit(address)
    host = wanted.hostname or ""
    scheme = wanted.scheme or "https"
    # bring http and ssl along only where a proxy may be set
    proxies: Dict[str, str] = {}
    if any(name.lower().endswith("_proxy") for name in os.environ):
        request = importlib.import_module("urllib.request")
        proxies = {} if request.proxy_bypass(host) else request.getproxies()
    way = urlsplit(proxies.get(scheme) or address)
    try:
        port = way.port or (80 if way.scheme == "http" else 443)
        with socket.create_connection((way.hostname or "", port), timeout=MOST_S):
            return Reached(what, host)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        through = " through the proxy {}".format(way.hostname) if way.hostname != host else ""
        return Reached(what, host, "{}{}".format(why or "no answer", through))


def _told(command: List[str]) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SMI_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
