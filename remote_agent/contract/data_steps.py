"""The steps that change a job's rows before they are trained: recorded in the job, done again on the node."""

from __future__ import annotations

import dataclasses
from typing import Mapping, Tuple, Type, Union

from remote_agent.contract.knob import knob

_ROLE_HELP = "Whose turns it concerns; any: everybody's."
_ROLES = ("any", "system", "user", "assistant")
_MINHASH = "Broder, On the resemblance and containment of documents, 1997"


@dataclasses.dataclass(frozen=True)
class DropStep:
    """Leaves rows out: those of a finding, or those that are named."""

    finding: str = knob("", "Finding", "The kind of finding whose rows are left out, such as empty_response.")
    rows: Tuple[int, ...] = knob(
        (), "Rows", "Rows that are left out, by their numbers in the table (the job file counts from 0)."
    )


@dataclasses.dataclass(frozen=True)
class DeduplicateStep:
    """Keeps the first of rows that say the same."""

    threshold: float = knob(
        1.0,
        "Likeness",
        "1: rows that are equal word for word. Below: rows whose sets of word 5-grams overlap at least so much "
        "(Jaccard, estimated by MinHash).",
        low=0.5,
        high=1.0,
        source=_MINHASH,
    )


@dataclasses.dataclass(frozen=True)
class TruncateStep:
    """Cuts the text of turns to a number of tokens."""

    role: str = knob("user", "Turns", _ROLE_HELP, choices=_ROLES)
    tokens: int = knob(512, "Tokens at most", "What a turn keeps.", unit="tokens", low=1)
    keep: str = knob("start", "Keep", "Whether the start or the end of a turn stays.", choices=("start", "end"))


@dataclasses.dataclass(frozen=True)
class BalanceStep:
    """Brings classes to the same number of rows."""

    method: str = knob(
        "down",
        "Balance",
        "Down: a seeded choice of the larger classes. Up: rows of the smaller classes come several times.",
        choices=("down", "up"),
    )
    ratio: float = knob(
        1.0, "At most", "The largest class has at most this many times the rows of the smallest.", low=1.0, high=1000.0
    )


@dataclasses.dataclass(frozen=True)
class NormaliseStep:
    """Mends text that was damaged on its way: each part can be turned off."""

    unicode: bool = knob(True, "Unicode NFC", "Characters that look the same become the same.")
    controls: bool = knob(True, "Control characters", "Takes out control characters but line ends and tabs.")
    spaces: bool = knob(True, "White space", "Cuts white space at both ends of a turn, and CRLF becomes LF.")
    encoding: bool = knob(False, "Wrong encoding", "Turns text that was read in the wrong encoding back (â€™ into ’).")


@dataclasses.dataclass(frozen=True)
class MapLabelsStep:
    """Gives classes other names; two old names may get the same new one."""

    labels: Tuple[str, ...] = knob((), "Classes", "One OLD=NEW each.")


@dataclasses.dataclass(frozen=True)
class ReplaceStep:
    """Replaces text in turns."""

    role: str = knob("any", "Turns", _ROLE_HELP, choices=_ROLES)
    find: str = knob("", "Find", "The text, or the regular expression, that is replaced.")
    put: str = knob("", "Replace by", "What stands there instead; \\1 is the expression's first group.")
    regex: bool = knob(False, "Regular expression", "Whether the text to find is a regular expression of Python.")


@dataclasses.dataclass(frozen=True)
class AugmentStep:
    """Adds rows whose prompts are said in other words. Responses stay, the held-out part is never touched."""

    method: str = knob(
        "paraphrase",
        "Augment",
        "Paraphrase: a seq2seq model says it again. Back-translation: to another language and back. "
        "Endpoint: an HTTP address does it.",
        choices=("paraphrase", "back_translation", "endpoint"),
    )
    model: str = knob("", "Model", "A seq2seq model on the node: it paraphrases, or translates there.", path_like=True)
    back_model: str = knob(
        "", "Model back", "Translates back; empty where one model knows both directions.", path_like=True
    )
    source_language: str = knob("", "Language", "The language code the model knows the rows' language by.")
    other_language: str = knob("", "Other language", "The language code translated to.")
    prefix: str = knob("", "Prefix", "What stands before each text for models that need it, such as 'paraphrase: '.")
    share: float = knob(1.0, "Share", "The share of the training rows that get such a row beside them.", above=0.0,
                        high=1.0)  # fmt: skip
    role: str = knob("user", "Turns", "Whose turns are said in other words.", choices=("user", "assistant"))
    max_tokens: int = knob(256, "Tokens at most", "The longest text that is made.", unit="tokens", low=8, high=4096)
    shortest: float = knob(0.5, "Shortest", "The least length against the original; shorter ones are rejected.",
                           low=0.0, high=1.0)  # fmt: skip
    longest: float = knob(2.0, "Longest", "The greatest length against the original; longer ones are rejected.",
                          low=1.0, high=10.0)  # fmt: skip
    same_language: bool = knob(True, "Same language", "Rejects what is in another language than the original.")
    url: str = knob("", "Address", "The endpoint's http or https address. Rows leave the node for it.")
    price_per_row: float = knob(0.0, "Price a row", "What the endpoint asks for a row, for the estimate.", low=0.0)
    consent: bool = knob(False, "Rows may leave", "Has to be on before any row is sent to an endpoint.")


Step = Union[
    DropStep, DeduplicateStep, TruncateStep, BalanceStep, NormaliseStep, MapLabelsStep, ReplaceStep, AugmentStep
]

STEP_CLASSES: Mapping[str, Type[Step]] = {
    "drop": DropStep,
    "deduplicate": DeduplicateStep,
    "truncate": TruncateStep,
    "balance": BalanceStep,
    "normalise": NormaliseStep,
    "map_labels": MapLabelsStep,
    "replace": ReplaceStep,
    "augment": AugmentStep,
}
"""The class of a step by the ``kind`` that stands in the job file."""


def step_kind(step: Step) -> str:
    """Return the kind of a step as the job file names it."""
    return next(kind for kind, step_class in STEP_CLASSES.items() if type(step) is step_class)
