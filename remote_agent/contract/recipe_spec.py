"""The recipe of a job: the update rule, the learning rate over the run, and what keeps the model from fitting noise."""

from __future__ import annotations

import dataclasses
from typing import Tuple

from remote_agent.contract.knob import knob, knob_list

_ADAMW = "Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, arXiv:1711.05101"
_SGDR = "Loshchilov and Hutter, SGDR, ICLR 2017, arXiv:1608.03983"
_WARMUP = "Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv:1706.02677"
_CLIPPING = "Pascanu et al., On the difficulty of training recurrent neural networks, ICML 2013, arXiv:1211.5063"
_SMOOTHING = "Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, arXiv:1512.00567"
_LLAMA2 = "Touvron et al., Llama 2, 2023, arXiv:2307.09288, section 3.1"
_LAYER_DECAY = (
    "Howard and Ruder, ULMFiT, ACL 2018, arXiv:1801.06146; Clark et al., ELECTRA, ICLR 2020, arXiv:2003.10555"
)
_WSD = "Hu et al., MiniCPM, 2024, arXiv:2404.06395; Haegele et al., Scaling Laws Beyond Fixed Training Durations, 2024, arXiv:2405.18392"  # noqa: E501
_ONE_CYCLE = "Smith and Topin, Super-Convergence, 2018, arXiv:1708.07120"
_DROPOUT = "Srivastava et al., Dropout, JMLR 2014"
_RANGE_TEST = (
    "Smith, Cyclical Learning Rates, WACV 2017, arXiv:1506.01186, section 3.3; Howard and Gugger, fastai, 2020, "
    "arXiv:2002.04688"
)
_EMA = "Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992"

UNITS = ("percent", "steps", "epochs", "tokens")
"""What a part of the run is measured in."""


@dataclasses.dataclass(frozen=True)
class OptimizerSpec:
    """The update rule. Groups without decay: biases and norm weights always, embeddings by choice."""

    kind: str = knob(
        "adamw",
        "Optimizer",
        "AdamW keeps two fp32 moments a parameter (8 bytes), in 8 bits 2 bytes; Lion and SGD with momentum keep one "
        "(4 bytes); Muon one for matrices and AdamW's two for the rest; Adafactor a row and a column of each matrix. "
        "AdamW runs PyTorch's fused kernel; with states in host memory DeepSpeed's CPUAdam where that is compiled.",
        choices=("adamw", "adamw_8bit", "lion", "muon", "sgd", "adafactor"),
        source=_ADAMW,
    )
    adam_kernel: str = knob(
        "torch",
        "AdamW kernel",
        "What computes AdamW's updates while the states lie on the GPU: PyTorch's fused kernel, or DeepSpeed's "
        "FusedAdam, which the node compiles with nvcc before the first run. Both state the same "
        "formula; FusedAdam has not been tried on a GPU.",
        choices=("torch", "deepspeed"),
        advanced=True,
    )
    learning_rate: float = knob(
        2e-5, "Peak learning rate", "The highest learning rate of the run.", above=0.0, high=1.0, source=_LLAMA2
    )
    beta1: float = knob(
        0.9,
        "Beta 1",
        "Decay of the running mean of gradients (AdamW); of the update's direction (Lion).",
        low=0.0,
        high=0.9999,
        source=_ADAMW,
    )
    beta2: float = knob(
        0.95,
        "Beta 2",
        "Decay of the running mean of squared gradients (AdamW); of the running mean of gradients (Lion).",
        low=0.0,
        high=0.99999,
        source=_LLAMA2,
    )
    epsilon: float = knob(
        1e-8, "Epsilon", "Keeps the AdamW step finite where gradients vanish.", above=0.0, high=1e-2, advanced=True
    )
    momentum: float = knob(
        0.9, "Momentum", "Momentum of SGD and of Muon; the others ignore it.", low=0.0, high=0.9999, advanced=True
    )
    weight_decay: float = knob(
        0.1,
        "Weight decay",
        "Decoupled decay toward zero, times the learning rate, on matrices only.",
        low=0.0,
        high=1.0,
        source=_LLAMA2,
    )
    decay_embeddings: bool = knob(
        False, "Decay embeddings", "Whether token embeddings and the head are decayed too.", advanced=True
    )
    layer_decay: float = knob(
        1.0,
        "Layer-wise decay",
        "Each layer's learning rate is this times that of the layer above; embeddings come below the first layer. "
        "1 gives all the same.",
        above=0.0,
        high=1.0,
        source=_LAYER_DECAY,
        advanced=True,
    )
    embedding_factor: float = knob(
        1.0, "Embeddings", "The token embeddings' learning rate as a share of the others'.", unit="x rate",
        above=0.0, high=100.0, advanced=True,
    )  # fmt: skip
    head_factor: float = knob(
        1.0, "Head", "The output head's learning rate as a share of the others'; ignored where it is tied to the "
        "embeddings.", unit="x rate", above=0.0, high=100.0, advanced=True,
    )  # fmt: skip
    frozen: Tuple[str, ...] = knob(
        (),
        "Frozen parts",
        "Patterns of parameter names that are not trained, such as model.layers.0.* (* stands for anything).",
        advanced=True,
    )


@dataclasses.dataclass(frozen=True)
class WarmupSpec:
    """The rise of the learning rate at the start."""

    amount: float = knob(10.0, "Warmup", "How long the learning rate rises to its peak.", low=0.0, source=_WARMUP)
    unit: str = knob("percent", "Warmup unit", "What the warmup is given in.", choices=UNITS)
    start_fraction: float = knob(
        0.0,
        "Warmup starts at",
        "The first update's share of the peak. 0 as in transformers, whose first update then changes nothing.",
        low=0.0,
        high=1.0,
        advanced=True,
    )
    shape: str = knob(
        "linear", "Warmup shape", "How the learning rate rises.", choices=("linear", "cosine"), advanced=True
    )


@dataclasses.dataclass(frozen=True)
class CooldownSpec:
    """The fall at the end of a warmup-stable-decay schedule."""

    amount: float = knob(20.0, "Cooldown", "How long the learning rate falls at the end.", low=0.0, source=_WSD)
    unit: str = knob("percent", "Cooldown unit", "What the cooldown is given in.", choices=UNITS)
    shape: str = knob(
        "linear",
        "Cooldown shape",
        "How it falls: in a line, as a cosine, or as 1 - sqrt(progress).",
        choices=("linear", "cosine", "one_minus_sqrt"),
        source=_WSD,
    )


@dataclasses.dataclass(frozen=True)
class PointSpec:
    """A point of a curve that is drawn by hand."""

    at_percent: float = knob(
        0.0, "At", "Where in the run the point lies.", unit="percent of the run", low=0.0, high=100.0
    )
    factor: float = knob(1.0, "Factor", "The learning rate there, as a share of the peak.", unit="x peak", low=0.0,
                         high=1.0)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ScheduleSpec:
    """The shape of the learning rate over the run, in factors of the peak."""

    shape: str = knob(
        "cosine",
        "Shape",
        "How the learning rate goes on after the warmup. A range test has no warmup: it rises exponentially from the "
        "minimum to the peak, and ends where the loss diverges.",
        choices=("cosine", "linear", "constant", "cosine_restarts", "polynomial", "inverse_sqrt", "wsd", "one_cycle",
                 "rex", "step", "multi_step", "piecewise", "range_test"),
        source=_SGDR,
    )  # fmt: skip
    minimum_factor: float = knob(
        0.1,
        "Minimum",
        "Where the fall ends, as a share of the peak. A constant, stepped or hand-drawn schedule ignores it.",
        unit="x peak",
        low=0.0,
        high=1.0,
        source=_LLAMA2,
    )
    warmup: WarmupSpec = dataclasses.field(default_factory=WarmupSpec)
    cooldown: CooldownSpec = dataclasses.field(default_factory=CooldownSpec)
    cycles: int = knob(
        3, "Cycles", "How many falls a cosine with restarts has.", unit="cycles", low=1, high=1000, source=_SGDR,
        advanced=True,
    )  # fmt: skip
    cycle_length_factor: float = knob(
        1.0, "Cycle length", "Each cycle is this times as long as the one before.", unit="x before", low=1.0,
        high=10.0, source=_SGDR, advanced=True,
    )  # fmt: skip
    cycle_peak_factor: float = knob(
        1.0, "Cycle peak", "Each cycle's peak is this times the one before.", unit="x before", above=0.0, high=1.0,
        advanced=True,
    )  # fmt: skip
    power: float = knob(
        1.0, "Power", "The exponent of a polynomial fall: (1 - progress) to this power.", above=0.0, high=10.0,
        advanced=True,
    )  # fmt: skip
    timescale: int = knob(
        0, "Timescale", "Of the inverse square root: sqrt(timescale / (step - warmup + timescale)). 0: the warmup's "
        "steps, or 10,000 without a warmup, as transformers has it.", unit="steps", low=0, advanced=True,
    )  # fmt: skip
    step_percent: float = knob(
        30.0, "Step every", "How long a step schedule stays at a level.", unit="percent of the run", above=0.0,
        high=100.0, advanced=True,
    )  # fmt: skip
    step_factor: float = knob(
        0.1, "Step factor", "What each level is of the one before.", unit="x before", above=0.0, high=1.0,
        advanced=True,
    )  # fmt: skip
    points: Tuple[PointSpec, ...] = knob_list(
        {"": PointSpec},
        "Points",
        "A hand-drawn schedule goes in lines through them; a multi-step one jumps to each factor and stays. "
        "The warmup lies over both.",
    )
    weight_decay_end_factor: float = knob(
        1.0,
        "Weight decay at the end",
        "The weight decay goes from its value to this times it, as a cosine over the run. 1 keeps it.",
        unit="x start",
        low=0.0,
        high=10.0,
        source="Caron et al., DINO, ICCV 2021, arXiv:2104.14294",
        advanced=True,
    )
    divergence_factor: float = knob(
        4.0,
        "Ends where the loss is",
        "A range test ends once its smoothed loss is over this times the lowest so far. 0: it goes on to the end.",
        unit="x lowest",
        low=0.0,
        high=1000.0,
        source=_RANGE_TEST,
        advanced=True,
    )
    momentum_low: float = knob(
        0.0,
        "Momentum at the peak",
        "One-cycle: momentum (or beta 1) falls to this while the rate rises, and returns. 0 keeps it.",
        low=0.0,
        high=0.9999,
        source=_ONE_CYCLE,
        advanced=True,
    )


@dataclasses.dataclass(frozen=True)
class RegularizationSpec:
    """What keeps the run stable and the model from fitting noise. Held-out loss is always plain."""

    clip_norm: float = knob(
        1.0,
        "Clip norm",
        "Scales the gradient down where its global norm is above this. 0 turns clipping off.",
        low=0.0,
        source=_CLIPPING,
    )
    clip_value: float = knob(
        0.0, "Clip value", "Limits each element of the gradient to plus and minus this, before the norm. 0: off.",
        low=0.0, source=_CLIPPING, advanced=True,
    )  # fmt: skip
    label_smoothing: float = knob(
        0.0,
        "Label smoothing",
        "The share of the target spread over the whole vocabulary in the training loss. "
        "Held-out loss is always without it.",
        low=0.0,
        high=0.5,
        source=_SMOOTHING,
    )
    override_dropout: bool = knob(
        False,
        "Set the model's dropout",
        "Sets every dropout the model's config has (attention, residual, embedding) to one value.",
        advanced=True,
    )
    dropout: float = knob(
        0.1, "Dropout", "The share of elements dropped where the model has a dropout.", low=0.0, high=0.9,
        source=_DROPOUT, advanced=True,
    )  # fmt: skip
    residual_dropout: float = knob(
        0.0, "Residual dropout", "Drops this share after each layer's attention and MLP, also where the config has no "
        "dropout. 0: off.", low=0.0, high=0.9, source=_DROPOUT, advanced=True,
    )  # fmt: skip
    neftune_alpha: float = knob(
        0.0, "NEFTune", "Noise on the embeddings while training, uniform, of size alpha / sqrt(tokens x width). "
        "0: off.",
        low=0.0, high=100.0, source="Jain et al., NEFTune, ICLR 2024, arXiv:2310.05914", advanced=True,
    )  # fmt: skip
    mixup_alpha: float = knob(
        0.0, "Mixup", "Mixes the embeddings of two rows of a micro batch by lambda ~ Beta(alpha, alpha). 0: off. "
        "Needs unpacked rows and a micro batch of 2 or more.", low=0.0, high=10.0,
        source="Zhang et al., mixup, ICLR 2018, arXiv:1710.09412; Guo et al., 2019, arXiv:1905.08941", advanced=True,
    )  # fmt: skip
    r_drop_alpha: float = knob(
        0.0, "R-Drop", "Passes each batch twice and adds alpha x the symmetric KL divergence of the two. 0: off. "
        "Doubles forward and backward.", low=0.0, high=100.0,
        source="Liang et al., R-Drop, NeurIPS 2021, arXiv:2106.14448", advanced=True,
    )  # fmt: skip
    base_penalty: float = knob(
        0.0, "Penalty toward the base", "L2-SP: adds half this times the squared distance from the base weights. "
        "0: off. Keeps a copy of the trained weights.", low=0.0, high=100.0,
        source="Li et al., Explicit Inductive Bias for Transfer Learning, ICML 2018, arXiv:1802.01483", advanced=True,
    )  # fmt: skip
    averaging: str = knob(
        "none", "Weight averaging", "Saves averaged weights: an exponential moving average, or the mean over the end "
        "of the run. Keeps an fp32 copy, split over the ranks as the states are.", choices=("none", "ema", "tail"),
        source=_EMA, advanced=True,
    )  # fmt: skip
    ema_decay: float = knob(
        0.999, "EMA decay", "The average keeps this share of itself at each update.", low=0.0, high=0.999999,
        source=_EMA, advanced=True,
    )  # fmt: skip
    tail_percent: float = knob(
        20.0, "Tail", "Over which end of the run tail averaging takes the mean.", unit="percent of the run",
        above=0.0, high=100.0, source="Izmailov et al., SWA, UAI 2018, arXiv:1803.05407", advanced=True,
    )  # fmt: skip
    patience: int = knob(
        0, "Early stopping", "Ends the run after so many evaluations in a row without a better held-out loss. 0: off.",
        unit="evaluations", low=0, source="Prechelt, Early Stopping - But When?, 1998", advanced=True,
    )  # fmt: skip
    patience_threshold: float = knob(
        0.0, "Better by", "How much lower a held-out loss has to be to count as better.", low=0.0, high=1.0,
        advanced=True,
    )  # fmt: skip
