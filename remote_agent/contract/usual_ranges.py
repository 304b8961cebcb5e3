"""The values that published recipes use, knob by knob with their sources, and a warning for a value outside them."""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple, Optional, Tuple

from remote_agent.contract.job_spec import JobSpec, value_at
from remote_agent.contract.knob import described_fields
from remote_agent.contract.problem import WARNING, Fix, Known, Problem


class UsualRange(NamedTuple):
    """What a field's value usually lies in (both ends included), in which jobs, and who published that."""

    path: str
    applies: Callable[[JobSpec], bool]
    low: float
    high: float
    source: str


_ADAMW = ("adamw", "adamw_8bit")


def _always(spec: JobSpec) -> bool:
    return True


def _under(*kinds: str) -> Callable[[JobSpec], bool]:
    return lambda spec: spec.optimizer.kind in kinds


def _where_on(path: str) -> Callable[[JobSpec], bool]:
    return lambda spec: bool(value_at(spec, path) > 0)


USUAL_RANGES: Tuple[UsualRange, ...] = (
    UsualRange(
        "optimizer.learning_rate", _under(*_ADAMW), 2e-6, 3e-4,
        "from 2e-6 in Tulu 3 70B, arXiv:2411.15124, table 11, to 3e-4 in Llama 2 7B's pretraining, arXiv:2307.09288",
    ),
    UsualRange(
        "optimizer.learning_rate", _under("lion"), 2e-7, 1e-4,
        "3 to 10 times below AdamW's: Chen et al., Lion, arXiv:2302.06675",
    ),
    UsualRange(
        "optimizer.beta1", _under("lion"), 0.9, 0.95,
        "0.9, and 0.95 for T5: Chen et al., Lion, arXiv:2302.06675",
    ),
    UsualRange(
        "optimizer.beta2", _under(*_ADAMW), 0.95, 0.999,
        "0.95 in Llama 2, arXiv:2307.09288, section 2.2, 0.999 in Adam, arXiv:1412.6980, section 2",
    ),
    UsualRange("optimizer.beta2", _under("lion"), 0.98, 0.99, "Chen et al., Lion, arXiv:2302.06675"),
    UsualRange(
        "optimizer.epsilon", _under(*_ADAMW), 1e-8, 1e-5,
        "1e-8 in Adam, arXiv:1412.6980, section 2, 1e-5 in Llama 2, arXiv:2307.09288, section 2.2",
    ),
    UsualRange(
        "optimizer.weight_decay", _under(*_ADAMW), 0.0, 0.1,
        "0 in the commands that made Tulu 3, arXiv:2411.15124, 0.1 in Llama 2, arXiv:2307.09288, section 3.1",
    ),
    UsualRange(
        "optimizer.weight_decay", _under("lion"), 0.0, 1.0,
        "3 to 10 times above AdamW's: Chen et al., Lion, arXiv:2302.06675",
    ),
    UsualRange(
        "optimizer.layer_decay", _always, 0.38, 1.0,
        "1/2.6 in ULMFiT, arXiv:1801.06146, 0.8 and 0.9 in ELECTRA's fine-tuning code, arXiv:2003.10555",
    ),
    UsualRange(
        "schedule.warmup.amount", lambda spec: spec.schedule.warmup.unit == "percent", 0.0, 10.0,
        "none in LIMA, arXiv:2305.11206, section 3, 10 percent in Zephyr, arXiv:2310.16944, section 4.3",
    ),
    UsualRange(
        "schedule.minimum_factor", lambda spec: spec.schedule.shape in ("cosine", "linear"), 0.0, 0.1,
        "0 in Tulu 3's linear schedule, arXiv:2411.15124, 0.1 in Llama 2, arXiv:2307.09288, section 2.2",
    ),
    UsualRange(
        "schedule.cooldown.amount",
        lambda spec: spec.schedule.shape == "wsd" and spec.schedule.cooldown.unit == "percent", 10.0, 20.0,
        "10 percent in MiniCPM, arXiv:2404.06395, section 4.3, 20 percent in Haegele et al.'s code, arXiv:2405.18392",
    ),
    UsualRange(
        "schedule.cycle_length_factor", lambda spec: spec.schedule.shape == "cosine_restarts", 1.0, 2.0,
        "1 and 2 in Loshchilov and Hutter, SGDR, arXiv:1608.03983, section 4",
    ),
    UsualRange(
        "schedule.step_factor", lambda spec: spec.schedule.shape == "step", 0.1, 0.2,
        "0.1 in Goyal et al., arXiv:1706.02677, section 5.1, 0.2 in Wide Residual Networks, arXiv:1605.07146",
    ),
    UsualRange(
        "regularization.clip_norm", _where_on("regularization.clip_norm"), 0.3, 1.0,
        "0.3 in QLoRA (adapters), arXiv:2305.14314, appendix B.2, 1 in Llama 2, arXiv:2307.09288, section 2.2",
    ),
    UsualRange(
        "regularization.label_smoothing", _always, 0.0, 0.1,
        "0.1 in Vaswani et al., arXiv:1706.03762, section 5.4",
    ),
    UsualRange(
        "regularization.dropout", lambda spec: spec.regularization.override_dropout, 0.0, 0.5,
        "0.1 in BERT, arXiv:1810.04805, 0.5 in Srivastava et al., JMLR 2014",
    ),
    UsualRange(
        "regularization.residual_dropout", _always, 0.0, 0.3,
        "0.2 in InstructGPT, arXiv:2203.02155, section 3.5, 0.3 in LIMA's last layer, arXiv:2305.11206, section 3",
    ),
    UsualRange(
        "regularization.neftune_alpha", _where_on("regularization.neftune_alpha"), 5.0, 15.0,
        "5, 10 and 15 in Jain et al., NEFTune, arXiv:2310.05914, appendix A.1",
    ),
    UsualRange(
        "regularization.mixup_alpha", _where_on("regularization.mixup_alpha"), 0.1, 0.4,
        "larger ones underfit: Zhang et al., mixup, arXiv:1710.09412, section 3.1",
    ),
    UsualRange(
        "regularization.r_drop_alpha", _where_on("regularization.r_drop_alpha"), 1.0, 5.0,
        "1 for language models, 5 for translation in the authors' scripts: Liang et al., R-Drop, arXiv:2106.14448",
    ),
    UsualRange(
        "regularization.ema_decay", lambda spec: spec.regularization.averaging == "ema", 0.99, 0.9999,
        "0.99 and then 0.999 in Mean Teacher's code, arXiv:1703.01780, 0.9999 in MobileNetV3, arXiv:1905.02244",
    ),
    UsualRange(
        "batch.epochs", lambda spec: not spec.batch.max_steps, 0.0, 16.0,
        "2 in Llama 2, arXiv:2307.09288, section 3.1, 16 in InstructGPT, arXiv:2203.02155, section 3.5",
    ),
)  # fmt: skip
"""In the order of the fields; where several ranges of a field apply, the first one counts."""

_LABELS = {field.path: field.knob.label for field in described_fields(JobSpec)}


def usual_range(path: str, spec: JobSpec) -> Optional[UsualRange]:
    """Return the range that a field's value usually lies in under this job's choices, None where none is published."""
    for usual in USUAL_RANGES:
        if usual.path == path and usual.applies(spec):
            return usual
    return None


def usual_range_problems(spec: JobSpec, known: Known = Known()) -> Iterator[Problem]:
    """Yield a warning for every value outside the range that published recipes use, with the nearest end as its fix."""
    for path in dict.fromkeys(usual.path for usual in USUAL_RANGES):
        usual, value = usual_range(path, spec), value_at(spec, path)
        if usual is None or usual.low <= value <= usual.high:
            continue
        nearest = usual.low if value < usual.low else usual.high
        yield Problem(
            WARNING,
            path,
            "{} is {:g}; published recipes use {:g} to {:g} ({}).".format(
                _LABELS[path], value, usual.low, usual.high, usual.source
            ),
            Fix("Set to {:g}".format(nearest), ((path, nearest),)),
        )
