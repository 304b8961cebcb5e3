"""What the survey of a node found, in lines of words for its card."""

from __future__ import annotations

from collections import Counter

from remote_agent.contract.attention import HUB_KERNEL, PACKAGE, flash_attention
from remote_agent.contract.node_report import NodeReport, Survey
from studio.ui import words
from studio.ui.translation import told


def survey_lines(report: NodeReport) -> list[str]:
    """Return one line each for processor and GPUs, disks, environments, and the ways out; none before a survey."""
    survey = report.survey
    if survey is None:
        return []
    lines = [
        _hardware(report, survey),
        _holders(report, survey),
        _disks(survey),
        _environments(survey),
        _attention(report),
        _outside(survey),
    ]
    return [line for line in lines if line]


def _hardware(report: NodeReport, survey: Survey) -> str:
    parts = [survey.cpu]
    if survey.driver:
        said = words.translated("driver {driver}, CUDA {cuda}")
        parts.append(said.format(driver=survey.driver, cuda=survey.cuda or "?"))
    kinds = Counter(link.kind for link in survey.gpu_links)
    if kinds:
        joined = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(4))
        parts.append(words.translated("GPU pairs joined by {kinds}").format(kinds=joined))
    if survey.shm_total_bytes:
        parts.append(words.translated("shared memory {size}").format(size=words.size(survey.shm_total_bytes)))
    if survey.scheduler:
        parts.append(survey.scheduler)
    return "  ·  ".join(part for part in parts if part)


def _holders(report: NodeReport, survey: Survey) -> str:
    numbers = {gpu.uuid: gpu.index for gpu in report.gpus}
    said = words.translated("GPU {number}: {name} of {user}, {size}")
    held = [
        said.format(
            number=numbers.get(each.gpu, "?"), name=each.name, user=each.user or "?", size=words.size(each.memory_bytes)
        )
        for each in survey.gpu_processes[:6]
    ]
    return "  ·  ".join(held)


def _disks(survey: Survey) -> str:
    lasting, fleeting = words.translated("outlives a stop"), words.translated("gone after a stop")
    said = []
    for disk in survey.disks[:4]:
        text = words.translated("{mount}: {size} free").format(mount=disk.mount, size=words.size(disk.free_bytes))
        if disk.write_bytes_per_s:
            text += f", {words.size(disk.write_bytes_per_s)}/s"
        said.append(f"{text}, {lasting if disk.lasts else fleeting}")
    return "  ·  ".join(said)


def _environments(survey: Survey) -> str:
    said = []
    for each in survey.interpreters[:3]:
        versions = {package.name: package.version for package in each.packages}
        holds = ", ".join(f"{name} {versions[name]}" for name in ("torch", "deepspeed") if versions.get(name))
        said.append(f"{each.path} ({holds})")
    if survey.hub_models:
        said.append(
            words.counted(
                len(survey.hub_models),
                words.translated("{} model in the Hub's cache"),
                words.translated("{} models in the Hub's cache"),
            )
        )
    return "  ·  ".join(said)


def _attention(report: NodeReport) -> str:
    """Return by what FlashAttention 2 is computed there, empty where nobody has looked or there is no GPU."""
    if not report.gpus or report.interpreter is None or not report.interpreter.extras:
        return ""
    found = flash_attention(report)
    if found.by == PACKAGE:
        return words.translated("FlashAttention 2 by its package, version {version}").format(version=found.version)
    if found.by == HUB_KERNEL:
        return words.translated("FlashAttention 2 by a kernel of the Hub that lies there")
    said = words.translated("FlashAttention 2 is not there: {why}; PyTorch's own attention serves")
    return said.format(why=told(found.why))


def _outside(survey: Survey) -> str:
    names = {"hub": words.translated("the Hub"), "index": words.translated("the package index")}
    reached, missed = words.translated("reaches {name}"), words.translated("does not reach {name}: {why}")
    return "  ·  ".join(
        missed.format(name=names.get(each.what, each.what), why=told(each.problem))
        if each.problem
        else reached.format(name=names.get(each.what, each.what))
        for each in survey.reached
    )
