"""The shipped table of GPUs: whole, within reason, and found again by the names that nvidia-smi prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_agent.contract.memory.gpu_kinds import FILE_NAME, GpuKind, gpu_kind, gpu_kinds, kind_of_device

KINDS = gpu_kinds((Path(__file__).parents[2] / "resources" / FILE_NAME).read_text(encoding="utf-8"))


def test_that_forty_kinds_have_every_figure_and_a_source() -> None:
    assert len(KINDS) >= 40
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert kind.memory_bytes > 8 << 30 and kind.bandwidth >= 200e9 and kind.interconnect_bandwidth >= 16e9
        assert 50 <= kind.watts <= 1500
        assert kind.source, kind.name
        assert kind.fp16_flops >= kind.bf16_flops and kind.fp16_flops >= kind.fp32_flops > 0
        assert bool(kind.usd_per_hour) == bool(kind.price_source), kind.name


def test_that_a_name_says_about_the_memory_it_stands_for() -> None:
    for kind in KINDS:
        said = int(kind.name.rpartition("-")[2].removesuffix("GB"))
        assert kind.memory_bytes / (1 << 30) == pytest.approx(said, rel=0.08), kind.name


@pytest.mark.parametrize(
    ("device", "mib", "name"),
    [
        ("NVIDIA H100 80GB HBM3", 81559, "H100-80GB"), ("NVIDIA H100 PCIe", 81559, "H100-PCIe-80GB"),
        ("NVIDIA A100-SXM4-40GB", 40960, "A100-40GB"), ("NVIDIA A100-SXM4-80GB", 81920, "A100-80GB"),
        ("NVIDIA A100-PCIE-40GB", 40960, "A100-PCIe-40GB"), ("NVIDIA A100 80GB PCIe", 81920, "A100-PCIe-80GB"),
        ("NVIDIA GeForce RTX 2080 Ti", 11264, "RTX-2080-Ti-11GB"), ("NVIDIA A10G", 23028, "A10G-24GB"),
        ("NVIDIA RTX 6000 Ada Generation", 49140, "RTX-6000-Ada-48GB"), ("Tesla T4", 15360, "T4-16GB"),
        ("Tesla V100-SXM2-32GB", 32768, "V100-32GB"), ("NVIDIA H200 NVL", 143771, "H200-NVL-141GB"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, "RTX-PRO-6000-96GB"),
        ("AMD Instinct MI300X", 196592, "MI300X-192GB"), ("NVIDIA A10", 0, "A10-24GB"),
        ("NVIDIA GeForce RTX 3090 Ti", 24576, ""), ("NVIDIA GeForce RTX 4080 SUPER", 16376, ""),
        ("Quadro P400", 2048, ""), ("NVIDIA A100-SXM4-80GB", 20000, ""), ("", 0, ""),
    ],
)  # fmt: skip
def test_that_a_device_is_found_by_the_name_it_prints(device: str, mib: int, name: str) -> None:
    found = kind_of_device(KINDS, device, mib << 20)
    assert (found.name if found else "") == name


def test_that_a_misspelt_kind_is_answered_with_those_near_it() -> None:
    assert isinstance(gpu_kind(KINDS, "h100-80gb"), GpuKind)
    with pytest.raises(ValueError, match="H100-80GB"):
        gpu_kind(KINDS, "H100-80")
