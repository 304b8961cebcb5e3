"""Which rows a job trains on, how they are read, and what is done to them before they become tokens."""

from __future__ import annotations

import dataclasses
from typing import Optional, Tuple

from remote_agent.contract.data_steps import STEP_CLASSES, Step
from remote_agent.contract.knob import knob, knob_list

SHAPES = ("auto", "alpaca", "prompt_completion", "messages", "sharegpt", "text", "classification")

_PACKING = "Krell et al., Efficient Sequence Packing without Cross-contamination, 2021, arXiv:2107.02027"
_PATH_HELP = "A JSON, JSONL, CSV, TSV, Parquet, Arrow or text file (also .gz or .zst), or a folder of such."
_SHAPE_HELP = (
    "How a row is read: alpaca, prompt and completion, chat messages, ShareGPT, plain text, or a text with its class. "
    "Auto reads it from the columns and says why."
)
_WEIGHT_HELP = (
    "The share of this source in the mixture, against the weights of the others. 0 everywhere: every row of every "
    "source once."
)
_EPOCHS_HELP = "How often a row of this source may come at most within one pass over the mixture."
_REPLAY = "Ibrahim et al., Simple and Scalable Strategies to Continually Pre-train LLMs, 2024, arXiv:2403.08763"


@dataclasses.dataclass(frozen=True)
class ColumnsSpec:
    """Which columns a row is read from; an empty name means the shape's usual one."""

    prompt: str = knob("", "Prompt column", "The column that is asked: instruction, prompt or question.", advanced=True)
    input: str = knob("", "Input column", "The column that is put under the instruction (alpaca).", advanced=True)
    response: str = knob(
        "", "Response column", "The column that is learnt: output, completion or answer.", advanced=True
    )
    system: str = knob("", "System column", "The column with the row's own system prompt.", advanced=True)
    messages: str = knob("", "Messages column", "The column with the list of turns.", advanced=True)
    tools: str = knob("", "Tools column", "The column with the functions the assistant may call.", advanced=True)
    text: str = knob("", "Text column", "The column with plain text, or with the text that has a class.", advanced=True)
    label: str = knob("", "Class column", "The column with the class of a text.", advanced=True)


@dataclasses.dataclass(frozen=True)
class SourceSpec:
    """One more source of rows, mixed with the others."""

    source: str = knob("desktop", "From", "Where the data lies.", choices=("desktop", "node", "hub"))
    path: str = knob("", "Training data", _PATH_HELP, path_like=True)
    revision: str = knob("", "Revision", "The commit of a Hub data set; pinned when it is looked at.", advanced=True)
    subset: str = knob("", "Subset", "The configuration of a Hub data set, empty for its only one.", advanced=True)
    split: str = knob("train", "Split", "The split of a Hub data set.", advanced=True)
    shape: str = knob("auto", "Shape", _SHAPE_HELP, choices=SHAPES)
    columns: ColumnsSpec = dataclasses.field(default_factory=ColumnsSpec)
    weight: float = knob(0.0, "Weight", _WEIGHT_HELP, low=0.0, high=1000.0)
    max_rows: int = knob(0, "Rows at most", "Takes only the first rows. 0 means all.", unit="rows", low=0)
    max_epochs: float = knob(1.0, "Epochs at most", _EPOCHS_HELP, unit="passes", above=0.0, high=100.0)
    replay: bool = knob(
        False,
        "Replay",
        "General data against forgetting: it fills the replay share of every pass, its rows repeated where they are "
        "few, and none of it is held out. Its weight counts against other replayed sources only.",
        source=_REPLAY,
    )


@dataclasses.dataclass(frozen=True)
class DataSpec:
    """Which rows are trained on and how they become token ids and labels."""

    source: str = knob(
        "desktop",
        "From",
        "Where the data lies: on this computer (it is sent to the node, verified by hash), on the node, or on the Hub.",
        choices=("desktop", "node", "hub"),
    )
    path: str = knob("", "Training data", _PATH_HELP, path_like=True)
    revision: str = knob(
        "", "Data revision", "The commit of a Hub data set; pinned when it is looked at.", advanced=True
    )
    subset: str = knob("", "Subset", "The configuration of a Hub data set, empty for its only one.", advanced=True)
    split: str = knob("train", "Split", "The split of a Hub data set.", advanced=True)
    held_out_path: str = knob(
        "",
        "Held-out data",
        "A file whose rows are never trained on. Empty: a fraction of the training data is set aside.",
        path_like=True,
    )
    held_out_fraction: float = knob(
        0.1,
        "Held-out share",
        "The share of rows set aside by the seed where no held-out file is given; 0 sets none aside.",
        low=0.0,
        high=0.9,
    )
    held_out_rows: int = knob(
        0,
        "Held-out rows at most",
        "Caps the held-out part so that an evaluation stays short; rows beyond it are left out of both parts. "
        "0 means no cap.",
        unit="rows",
        low=0,
        advanced=True,
    )
    held_out_by: str = knob(
        "row",
        "Held out by",
        "Row: any rows. Class: the same share of every class. Group: all rows of a group together, so that rows that "
        "belong together never stand in both parts.",
        choices=("row", "class", "group"),
        advanced=True,
    )
    held_out_column: str = knob(
        "", "Group column", "The column whose equal values make a group, for instance a document's id.", advanced=True
    )
    shape: str = knob("auto", "Shape", _SHAPE_HELP, choices=SHAPES)
    columns: ColumnsSpec = dataclasses.field(default_factory=ColumnsSpec)
    classification_prompt: str = knob(
        "{text}",
        "Class prompt",
        "What is asked of a text whose class is learnt; {text} is replaced by the text, {labels} by the classes.",
        advanced=True,
    )
    label_names: Tuple[str, ...] = knob(
        (), "Class names", "The words for classes that are numbered from 0, in their order.", advanced=True
    )
    system_prompt: str = knob(
        "", "System prompt", "Put before every conversation that has no system turn of its own.", advanced=True
    )
    chat_template: str = knob(
        "",
        "Chat template",
        "A Jinja chat template used instead of the model's own, or builtin:NAME for one of Luthier's. "
        "Empty: the model's own.",
        advanced=True,
    )
    train_on: str = knob(
        "assistant",
        "Train on",
        "Which turns are learnt: every turn of the assistant, the last one only, or every token.",
        choices=("assistant", "last", "all"),
        advanced=True,
    )
    added_tokens: Tuple[str, ...] = knob(
        (),
        "Added tokens",
        "Markers of the chat template that become single tokens of the tokenizer; embeddings and head grow by them.",
        advanced=True,
    )
    max_length: int = knob(
        1024,
        "Sequence length",
        "The most tokens a sequence holds. Memory of activations and logits grows with it; "
        "it may not pass the model's limit.",
        unit="tokens",
        low=8,
    )
    over_length: str = knob(
        "truncate",
        "Longer rows",
        "What happens to a row over the sequence length: its end is cut, the row is dropped, or it is split into "
        "several.",
        choices=("truncate", "drop", "split"),
    )
    packing: bool = knob(
        True,
        "Packing",
        "Several rows share a sequence, each blind to the others, so that no compute goes into padding.",
        source=_PACKING,
    )
    group_by_length: bool = knob(
        False,
        "Group by length",
        "Without packing, puts rows of like length into a micro batch, so that less of it is padding.",
        advanced=True,
    )
    weight: float = knob(0.0, "Weight", _WEIGHT_HELP, low=0.0, high=1000.0, advanced=True)
    max_rows: int = knob(
        0, "Rows at most", "Takes only the first rows of the file. 0 means all.", unit="rows", low=0, advanced=True
    )
    max_epochs: float = knob(1.0, "Epochs at most", _EPOCHS_HELP, unit="passes", above=0.0, high=100.0, advanced=True)
    replay_share: float = knob(
        0.0,
        "Replay share",
        "The share of the trained rows that comes from the sources marked as replay, so that the model forgets less "
        "of what it knew. A pass grows by that many rows. 0: no replay.",
        low=0.0,
        high=0.9,
        source=_REPLAY,
        advanced=True,
    )
    more: Tuple[SourceSpec, ...] = knob_list({"": SourceSpec}, "More sources", "Further data, mixed with the first.")
    steps: Tuple[Step, ...] = knob_list(
        STEP_CLASSES, "Steps", "What is done to the rows, in this order; the files themselves are never changed."
    )


def all_sources(data: DataSpec) -> Tuple[SourceSpec, ...]:
    """Return every source of training rows, the first as `DataSpec` names it, then ``more``, in order.

    The first is never replayed.
    """
    names = {field.name for field in dataclasses.fields(SourceSpec)} & {
        field.name for field in dataclasses.fields(data)
    }
    first = SourceSpec(**{name: getattr(data, name) for name in names})
    return (first, *data.more)


def held_out_source(data: DataSpec) -> Optional[SourceSpec]:
    """Return the held-out file as a source: on the node where the first training data is, else on the desktop.

    None where the held-out part is set aside from the training data.
    """
    if not data.held_out_path:
        return None
    return SourceSpec(source="node" if data.source == "node" else "desktop", path=data.held_out_path)
