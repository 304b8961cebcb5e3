"""What probes of nodes and a look at a model say, as samples."""

from __future__ import annotations

import dataclasses

from remote_agent.contract.data_report import FileEntry, ModelReport
from remote_agent.contract.node_folders import FOLDERS, WORK
from remote_agent.contract.node_report import (
    TRAINER_PACKAGES,
    Disk,
    Gpu,
    Interpreter,
    NodeFolder,
    NodeReport,
    PackageVersion,
    Survey,
)


def gpu_report(count: int = 8) -> NodeReport:
    """Return what a probe of a machine with H100s says."""
    gib = 1024**3
    gpus = tuple(
        Gpu(index, f"GPU-{index}", "NVIDIA H100 80GB HBM3", int(79.6 * gib), 2 * gib, 0.0, 34.0 + index, 70.0, "9.0")
        for index in range(count)
    )
    packages = tuple(PackageVersion(name, "1.0") for name in TRAINER_PACKAGES)
    interpreter = Interpreter("/home/dana/envs/train/bin/python", "3.11.9", packages)
    return NodeReport(
        "gpu-box", "dana", "Linux 6.8 x86_64", "/home/dana/.luthier", "3.11.9", 64, 512 * gib, 480 * gib, 1800 * gib,
        gpus, interpreter, "c++ 13.2", "1.11", "boot", 1.7e9,
    )  # fmt: skip


def with_folders(report: NodeReport) -> NodeReport:
    """Return a probe that tells where the folders lie: all in a container's layer, beside a volume that lasts."""
    gib = 1024**3
    disks = (
        Disk("/home/dana/.luthier", "/", "overlay", 200 * gib, 41 * gib, False, 3e8),
        Disk("/workspace/luthier", "/workspace", "ext4", 2000 * gib, 1310 * gib, True, 1.2e9),
    )
    folders = tuple(
        NodeFolder(name, f"{report.home}/{base}".rstrip("/"), "/", "overlay", 200 * gib, 41 * gib, False)
        for name, base in {WORK: "", **FOLDERS}.items()
    )
    return dataclasses.replace(report, folders=folders, survey=Survey(disks=disks))


def cpu_report(missing: tuple[str, ...] = ()) -> NodeReport:
    """Return what a probe of a machine without a GPU says."""
    packages = tuple(PackageVersion(name, "" if name in missing else "1.0") for name in TRAINER_PACKAGES)
    return dataclasses.replace(
        gpu_report(0), hostname="desk", cores=2, memory_total_bytes=int(7.8 * 1024**3),
        memory_available_bytes=5 * 1024**3, disk_free_bytes=21 * 1024**3,
        interpreter=Interpreter("/opt/luthier/.venv/bin/python", "3.11.2", packages),
    )  # fmt: skip


def model_report() -> ModelReport:
    """Return the report of a small model."""
    config = {
        "model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "num_hidden_layers": 30, "tie_word_embeddings":
        True, "num_attention_heads": 9, "num_key_value_heads": 3, "intermediate_size": 1536,
        "max_position_embeddings": 8192,
    }  # fmt: skip
    files = (FileEntry("model.safetensors", 538_090_408), FileEntry("tokenizer.json", 2_104_556))
    return ModelReport("/models/SmolLM2-135M-Instruct", config, "{{ x }}", "ab" * 32, 134_515_008, files, "cd" * 32)
