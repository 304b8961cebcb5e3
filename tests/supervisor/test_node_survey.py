"""The wide probe: recorded outputs of nvidia-smi, mounts, limits and ways out, in one answer within two seconds."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from remote_agent.contract.node_report import GpuLink, NodeReport
from remote_agent.contract.wire import from_wire
from remote_agent.supervisor.gpu_facts import gpu_links, gpu_processes, parse_driver
from remote_agent.supervisor.interpreters import environments_with_torch, package_index
from remote_agent.supervisor.node_disks import disks, outlives_a_stop, read_mounts
from tests.support.agent_call import agent_call

HEAD = (
    "Mon Mar  3 10:11:12 2025\n"
    "+-----------------------------------------------------------------------------------------+\n"
    "| NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |\n"
)
# four GPUs of a DGX-like box: 0-1 and 2-3 joined by NVLink; the colours are nvidia-smi's own
TOPOLOGY = (
    "\t\x1b[4mGPU0\tGPU1\tGPU2\tGPU3\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
    "GPU0\t X \tNV18\tSYS\tSYS\tPIX\t0-51\t0\t\tN/A\n"
    "GPU1\tNV18\t X \tSYS\tSYS\tPXB\t0-51\t0\t\tN/A\n"
    "GPU2\tSYS\tSYS\t X \tNV18\tSYS\t52-103\t1\t\tN/A\n"
    "GPU3\tSYS\tSYS\tNV18\t X \tSYS\t52-103\t1\t\tN/A\n"
    "NIC0\tPIX\tPXB\tSYS\tSYS\t X \t\t\t\t\n\nLegend:\n\n"
    "  X    = Self\n  NV#  = Connection traversing a bonded set of # NVLinks\n"
)
MOUNTS = (
    "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/sdb1 /mnt/my\\040disk ext4 rw 0 0\n"
    "server:/home /home nfs4 rw 0 0\n/dev/nvme1n1 /scratch xfs rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n"
)


def test_that_driver_cuda_and_the_links_of_recorded_outputs_are_read() -> None:
    assert parse_driver(HEAD) == ("550.54.15", "12.4")
    assert parse_driver("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n") == ("", "")
    links = gpu_links(TOPOLOGY)
    assert len(links) == 6
    assert GpuLink(0, 1, "NV18") in links and GpuLink(0, 2, "SYS") in links and GpuLink(2, 3, "NV18") in links
    assert gpu_links("") == gpu_links("Unable to determine topology\n") == ()


def test_that_who_holds_a_gpu_is_told_with_user_and_memory() -> None:
    mine, other = gpu_processes(
        f"GPU-2f1e, {os.getpid()}, /opt/conda/bin/python, 40321\nGPU-7c4a, 4194300, [Not Found], [N/A]\nnoise\n"
    )
    assert (mine.name, mine.memory_bytes, mine.gpu) == ("python", 40321 << 20, "GPU-2f1e")
    assert mine.user
    assert (other.user, other.memory_bytes) == ("", 0)


def test_that_disks_say_whether_they_outlive_a_stop(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS)
    assert read_mounts(str(table)) == [
        ("/", "overlay"), ("/mnt/my disk", "ext4"), ("/home", "nfs4"), ("/scratch", "xfs"), ("/dev/shm", "tmpfs"),
    ]  # fmt: skip
    lasting = [mount for mount, kind in read_mounts(str(table)) if outlives_a_stop(mount, kind)]
    assert lasting == ["/mnt/my disk", "/home"]
    found = disks(str(tmp_path))
    assert found[0].folder == str(tmp_path) and found[0].free_bytes > 0 and found[0].write_bytes_per_s > 0
    assert not list(tmp_path.glob(".luthier-trial*"))


def test_that_environments_which_hold_torch_are_found_without_starting_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    for name, package in (("with-venv", "torch-2.7.0.dist-info"), ("bare-venv", "numpy-2.0.dist-info")):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "lib" / "python3.11" / "site-packages" / package).mkdir(parents=True)
        python = tmp_path / name / "bin" / "python3"
        python.write_text(f'#!/bin/sh\ntouch {tmp_path}/started-{name}\nexec {sys.executable} "$@"\n')
        python.chmod(0o700)
    found = environments_with_torch(str(tmp_path / "home"))
    assert str(tmp_path / "with-venv" / "bin" / "python3") in [each.path for each in found]
    assert (tmp_path / "started-with-venv").exists() and not (tmp_path / "started-bare-venv").exists()


def test_that_the_index_is_the_one_pip_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    assert package_index(sys.executable) == "https://mirror.example/simple"
    assert package_index("/no/such/python") == ""


def test_that_the_wide_probe_answers_in_one_round_trip_within_two_seconds(tmp_path: Path) -> None:
    """The hub never answers (its queue of connections is full) and still nothing waits for it."""
    smi = tmp_path / "bin" / "nvidia-smi"
    smi.parent.mkdir()
    (tmp_path / "topology").write_text(TOPOLOGY)
    (tmp_path / "head").write_text(HEAD)
    smi.write_text(
        f'#!/bin/sh\ncase "$*" in\n"topo -m") cat {tmp_path}/topology ;;\n"") cat {tmp_path}/head ;;\n'
        '*query-gpu*) echo "0, GPU-2f1e, NVIDIA H100 80GB HBM3, 81559, 40321, 0, 31, 69.42, 9.0" ;;\n'
        '*query-compute-apps*) echo "GPU-2f1e, 4194300, python, 40321" ;;\nesac\n'
    )
    smi.chmod(0o700)
    cache = tmp_path / "cache" / "hub" / "models--org--name" / "snapshots" / "abc"
    cache.mkdir(parents=True)
    (cache / "model.safetensors").write_bytes(b"")
    with socket.socket() as deaf, socket.socket() as fills, socket.create_server(("127.0.0.1", 0)) as index:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fills.connect(deaf.getsockname())
        environment = {
            "PATH": f"{smi.parent}:{os.environ['PATH']}",
            "HF_HOME": str(tmp_path / "cache"),
            "HF_ENDPOINT": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple",
        }
        environment.update({name: "" for name in os.environ if name.lower().endswith("_proxy")})
        begun = time.monotonic()
        answer = agent_call(
            "probe", tmp_path / "home", {"wide": True, "python": sys.executable}, environment=environment
        )
        took = time.monotonic() - begun
    report = from_wire(NodeReport, answer.result["report"])
    survey = report.survey
    assert survey is not None
    assert len(answer.of_kind("result")) == 1
    print(f"the wide probe took {took:.2f} s, its survey {survey.took_s:.2f} s")
    assert survey.took_s < 2.0
    assert (survey.driver, survey.cuda) == ("550.54.15", "12.4")
    assert len(survey.gpu_links) == 6 and survey.gpu_processes[0].memory_bytes == 40321 << 20
    assert survey.limits.open_files != 0 and survey.ports_open and survey.shm_total_bytes > 0
    assert survey.hub_models == ("org/name",)
    index_way = next(each for each in survey.reached if each.what == "index")
    assert index_way.problem == "" and index_way.host == "127.0.0.1"
    assert survey.disks[0].free_bytes > 0
