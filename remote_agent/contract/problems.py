"""Why a job may not start, field by field: the same rules in the window, the command line and on the node."""

from __future__ import annotations

from typing import Any, Iterator, List, Tuple

from remote_agent.contract.combinations import combination_problems
from remote_agent.contract.data_problems import data_problems, items_out_of_range
from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from remote_agent.contract.memory_probe import is_memory_probe
from remote_agent.contract.model_facts import longest_sequence
from remote_agent.contract.node_report import NodeReport
from remote_agent.contract.problem import ERROR as ERROR
from remote_agent.contract.problem import WARNING as WARNING
from remote_agent.contract.problem import Fix as Fix
from remote_agent.contract.problem import Known as Known
from remote_agent.contract.problem import Problem as Problem
from remote_agent.contract.problem import changed_fields as changed_fields
from remote_agent.contract.problem import range_sentence
from remote_agent.contract.range_test import is_range_test
from remote_agent.contract.regularization_problems import regularization_problems
from remote_agent.contract.schedule_problems import known_horizon, schedule_problems
from remote_agent.contract.tracker_spec import tracker_problems
from remote_agent.contract.usual_ranges import usual_range_problems


def problems(spec: JobSpec, known: Known = Known()) -> List[Problem]:
    """Return what stands against the job, errors first, in the order of the fields."""
    found = [*_out_of_range(spec), *items_out_of_range(spec)]
    if not any(problem.severity == ERROR for problem in found):
        for rule in (
            _of_inputs,
            combination_problems,
            _of_steps,
            _of_model,
            data_problems,
            regularization_problems,
            _of_node,
            tracker_problems,
            usual_range_problems,
        ):
            found += rule(spec, known)
    return sorted(found, key=lambda problem: problem.severity != ERROR)


def _out_of_range(spec: JobSpec) -> Iterator[Problem]:
    for field in described_fields(JobSpec):
        value = value_at(spec, field.path)
        sentence = range_sentence(field.knob, value)
        if sentence:
            yield Problem(
                ERROR, field.path, sentence, Fix("Set to {}".format(field.default), ((field.path, field.default),))
            )


def _of_inputs(spec: JobSpec, known: Known) -> Iterator[Problem]:
    if not spec.model.id.strip():
        yield Problem(ERROR, "model.id", "No model is chosen.")
    if not spec.data.path.strip():
        yield Problem(ERROR, "data.path", "No training data is chosen.")
    if spec.model.source == "hub" and not spec.model.revision:
        yield Problem(
            WARNING, "model.revision", "The Hub model has no revision; it is pinned to today's commit at the launch."
        )
    if not spec.data.held_out_path and spec.data.held_out_fraction == 0:
        yield Problem(
            WARNING,
            "data.held_out_fraction",
            "There is no held-out part, so the run cannot tell learning from memorising.",
            Fix("Set aside 10 %", (("data.held_out_fraction", 0.1),)),
        )


def _of_steps(spec: JobSpec, known: Known) -> Iterator[Problem]:
    yield from schedule_problems(spec, known)
    total = known_horizon(spec, known).total_steps
    if total <= 0:
        return
    for path, what in (
        ("checkpointing.weights_every_steps", "Saving weights"),
        ("checkpointing.state_every_steps", "Saving the full state"),
        ("evaluation.every_steps", "Evaluating"),
    ):
        every = value_at(spec, path)
        if every > total:
            yield Problem(
                ERROR, path, "{} every {} steps never happens in a run of {}.".format(what, every, total),
                Fix("Every {}".format(max(1, total // 4)), ((path, max(1, total // 4)),)),
            )  # fmt: skip
    keeps = spec.checkpointing.save_at_end or spec.checkpointing.weights_every_steps
    if not keeps and not is_range_test(spec) and not is_memory_probe(spec):
        yield Problem(
            ERROR, "checkpointing.save_at_end", "No checkpoint would be written; the run would leave nothing.",
            Fix("Save at the end", (("checkpointing.save_at_end", True),)),
        )  # fmt: skip


def _of_model(spec: JobSpec, known: Known) -> Iterator[Problem]:
    model = known.model
    if model is None:
        return
    for sentence in model.problems:
        yield Problem(ERROR, "model.id", sentence)
    limit = longest_sequence(model.config)
    if spec.data.max_length > limit > 0:
        yield Problem(
            ERROR, "data.max_length",
            "The sequence length of {} is over the model's limit of {}.".format(spec.data.max_length, limit),
            Fix("Set to {}".format(limit), (("data.max_length", limit),)),
        )  # fmt: skip
    needs_template = spec.data.shape not in ("prompt_completion", "text")
    if not model.chat_template and not spec.data.chat_template and needs_template:
        yield Problem(
            WARNING, "data.chat_template",
            "The model's tokenizer has no chat template; prompt and response are joined as plain text.",
        )  # fmt: skip


def _of_node(spec: JobSpec, known: Known) -> Iterator[Problem]:
    node = known.node
    if node is None:
        return
    for sentence in node.problems:
        yield Problem(ERROR, "node", sentence)
    if not node.gpus:
        yield from _of_cpu_node(spec, node)
        return
    if spec.strategy.ranks > len(node.gpus):
        yield Problem(
            ERROR, "strategy.ranks",
            "{} processes need {} GPUs; {} has {}.".format(
                spec.strategy.ranks, spec.strategy.ranks, node.hostname, len(node.gpus)),
            _keep_global_batch(spec, len(node.gpus)),
        )  # fmt: skip


def _of_cpu_node(spec: JobSpec, node: NodeReport) -> Iterator[Problem]:
    if spec.strategy.ranks > node.cores:
        yield Problem(
            ERROR, "strategy.ranks", "{} processes share {} cores.".format(spec.strategy.ranks, node.cores),
            _keep_global_batch(spec, node.cores),
        )  # fmt: skip


def _keep_global_batch(spec: JobSpec, ranks: int) -> Fix:
    """Return the fix that lowers the ranks and keeps the global batch where accumulation can make up for them."""
    per_micro_batch = spec.batch.accumulation * spec.strategy.ranks
    changes: Tuple[Tuple[str, Any], ...] = (("strategy.ranks", ranks),)
    if per_micro_batch % ranks == 0:
        changes += (("batch.accumulation", per_micro_batch // ranks),)
    return Fix("Use {}".format(ranks), changes)


def blocking(found: List[Problem]) -> List[Problem]:
    """Return the problems that block the launch."""
    return [problem for problem in found if problem.severity == ERROR]
