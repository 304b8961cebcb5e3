"""What nvidia-smi printed on real machines becomes GPUs; what it cannot say becomes 0."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from remote_agent.supervisor import node_facts
from remote_agent.supervisor.node_facts import parse_gpus
from remote_agent.supervisor.node_sample import NodeSampler, network_bytes

H100 = (
    "0, GPU-2f1e5b3c-0d0a-4f6e-9a51-0c8a8f4d1b11, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 69.42, 9.0\n"
    "1, GPU-7c4a1d22-5b7e-4c1f-8f0e-6a0b9d3c2e55, NVIDIA H100 80GB HBM3, 81559, 74213, 98, 64, 612.08, 9.0\n"
)
OLD = "0, GPU-aaaa, Tesla K80, 11441, 0, [N/A], 41, [Not Supported]\n"
REFUSAL = 'Field "compute_cap" is not a valid field to query.\n\n'


def test_that_gpus_are_read_with_their_units() -> None:
    first, second = parse_gpus(H100)
    assert first.memory_total_bytes == 81559 << 20
    assert (second.index, second.name, second.compute_capability) == (1, "NVIDIA H100 80GB HBM3", "9.0")
    assert (second.memory_used_bytes, second.utilization_percent) == (74213 << 20, 98.0)
    assert (second.temperature_c, second.power_w) == (64.0, 612.08)


def test_that_what_a_driver_cannot_say_is_0_and_noise_is_no_gpu() -> None:
    (gpu,) = parse_gpus("Unable to determine the device handle\n" + OLD)
    assert (gpu.utilization_percent, gpu.power_w, gpu.compute_capability) == (0.0, 0.0, "")
    assert parse_gpus(REFUSAL) == ()
    assert parse_gpus("No devices were found\n") == ()


def test_that_a_gpu_that_slows_itself_down_says_why_and_a_power_limit_is_no_reason() -> None:
    rows = [line.replace(", 9.0", f", 9.0, {mask}") for line, mask in zip(
        H100.splitlines(), ("0x0000000000000004", "0x00000000000000E8"), strict=True)]  # fmt: skip
    usual, slow = parse_gpus("\n".join(rows))
    assert (usual.slowed_by, usual.compute_capability) == ("", "9.0")
    assert slow.slowed_by == "hardware slowdown, heat, power brake"


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_that_a_driver_that_refuses_a_field_is_asked_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text(OLD)
    (tmp_path / "refusal").write_text(REFUSAL)
    script = f'case "$1" in *compute_cap*) cat {tmp_path}/refusal; exit 2 ;; esac; cat {tmp_path}/old\n'
    nvidia_smi(tmp_path, monkeypatch, script)
    assert [gpu.name for gpu in node_facts.gpus()] == ["Tesla K80"]


def test_that_the_sampler_asks_an_old_driver_for_less_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text(OLD)
    script = f'case "$1" in *compute_cap*|*throttle*) exit 2 ;; esac; cat {tmp_path}/old\n'
    nvidia_smi(tmp_path, monkeypatch, script)
    sampler = NodeSampler(str(tmp_path))
    try:
        until = time.monotonic() + 30.0
        while not (found := sampler.sample().gpus) and time.monotonic() < until:
            assert sampler._query is not None
            sampler._query.wait(10.0)
        assert [gpu["name"] for gpu in found] == ["Tesla K80"]
    finally:
        sampler.close()


def test_that_a_node_without_the_program_has_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node_facts.gpus() == ()


def test_that_the_networks_bytes_are_those_of_all_interfaces_but_the_loopback(tmp_path: Path) -> None:
    table = tmp_path / "dev"
    table.write_text(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
        "    lo: 900000    5    0    0    0     0          0         0   900000    5    0    0    0     0       0\n"
        "  eth0: 1000    5    0    0    0     0          0         0   20    5    0    0    0     0       0\n"
        "  ib0:500    5    0    0    0     0          0         0   3    5    0    0    0     0       0\n"
    )
    assert network_bytes(str(table)) == (1500, 23)
    assert network_bytes(str(tmp_path / "none")) == (0, 0)
    assert network_bytes()[0] >= 0


def test_that_sampling_never_waits_for_a_driver_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, "exec sleep 1000\n")
    sampler = NodeSampler(str(tmp_path))
    samples = [sampler.sample() for _ in range(3)]
    sampler.close()
    assert all(sample.gpus == () and 0 <= sample.cpu_percent <= 100 for sample in samples)
    assert samples[0].memory_total_bytes >= samples[0].memory_used_bytes > 0
