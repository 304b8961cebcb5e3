"""Every kind of finding: how grave it is, what it is called, what it says and why that matters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

ERROR, WARNING, INFO = "error", "warning", "info"

CONVERSATION, TOKENS, ALL_ROWS, JOB = "conversation", "tokens", "all rows", "job"
"""What a kind is decided by: a row's turns alone, its tokens too, all rows together, or job and tokenizer."""


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        title: two or three words for a list.
        severity: error (blocks the launch), warning or info.
        sentence: what was found; {rows}, {detail}, {length}, {what} and {percent} are filled in.
        why: why it matters.
        decided_by: what has to be known of a row to say whether it is one of them.
    """

    title: str
    severity: str
    sentence: str
    why: str
    decided_by: str = CONVERSATION


KINDS: Mapping[str, Kind] = MappingProxyType({
    "bad_row": Kind(
        "Unusable rows", ERROR, "{rows} that cannot be used. The first: {detail}",
        "Training on the rest without them would be another data set than the one you chose.", TOKENS,
    ),
    "nothing_trained": Kind(
        "Nothing trained", WARNING, "{rows} with no token to train on, left out.",
        "A row without a trained token costs compute and teaches nothing, so it does not reach the model.", TOKENS,
    ),
    "empty_response": Kind(
        "Empty response", WARNING, "{rows} with an empty response; only the end of the turn is learnt from it.",
        "The model learns from them to answer with nothing.",
    ),
    "response_cut": Kind(
        "Response cut", WARNING, "{rows} whose response is cut at {length} tokens{detail}.",
        "What is cut away is not learnt, and the answer that is left stops without its end.", TOKENS,
    ),
    "over_length": Kind(
        "Over the length", WARNING, "{rows} over {length} tokens, {what}.",
        "What lies beyond the sequence length is not seen together with what stands before it.", TOKENS,
    ),
    "last_turn_only": Kind(
        "Only the last turn", INFO, "{rows} of several answers, of which only the last is trained.",
        "The earlier answers are read as context and not learnt.", TOKENS,
    ),
    "missing_end_of_turn": Kind(
        "No end of turn", WARNING, "{rows} whose last answer is followed by no end marker.",
        "A model that never sees where an answer ends does not learn to stop.", TOKENS,
    ),
    "untrained_end_of_turn": Kind(
        "End not trained", WARNING, "{rows} whose end of turn is there but not trained.",
        "The model reads the marker and never learns to write it, so its answers may not stop.", TOKENS,
    ),
    "double_bos": Kind(
        "Doubled start", WARNING, "{rows} that start with the beginning token twice.",
        "The model was made with one, so every such row starts unlike anything it has seen.", TOKENS,
    ),
    "role_order": Kind(
        "Roles out of order", WARNING, "{rows} whose turns are out of order. The first: {detail}.",
        "Chat templates are written for turns that alternate and end with the assistant; others are rendered oddly.",
    ),
    "tools_ignored": Kind(
        "Tools not shown", WARNING, "{rows} with tools or tool calls that the chat template does not write.",
        "The model is trained to call functions that it is never shown, or never sees the call.", TOKENS,
    ),
    "duplicate": Kind(
        "Duplicates", WARNING, "{rows} repeating an earlier one word for word.",
        "Every copy counts as one more pass over that row, which makes it easier to learn by heart.", ALL_ROWS,
    ),
    "near_duplicate": Kind(
        "Near-duplicates", WARNING, "{rows} that are at least {percent} like an earlier one.",
        "Rows that say nearly the same are trained on more often than the rest without adding to it.", ALL_ROWS,
    ),
    "conflicting_answers": Kind(
        "Different answers", WARNING, "{rows} whose prompt has a different answer in another row.",
        "The loss on such rows cannot go to nothing: the same question pulls in several directions.", ALL_ROWS,
    ),
    "leakage": Kind(
        "Leakage", WARNING, "{rows} of the held-out part trained on too, so the held-out loss looks too good.",
        "The held-out loss stands for data the model has not seen, and these it has.", ALL_ROWS,
    ),
    "near_leakage": Kind(
        "Near leakage", WARNING, "{rows} of the held-out part that are at least {percent} like a trained one.",
        "The held-out loss stands for data the model has not seen, and these it has nearly seen.", ALL_ROWS,
    ),
    "wrong_encoding": Kind(
        "Wrong encoding", WARNING, "{rows} with text that was read in the wrong encoding. The first: {detail}.",
        "The model learns to write the damaged characters.",
    ),
    "lost_characters": Kind(
        "Lost characters", WARNING, "{rows} with replacement characters (U+FFFD). The first: {detail}.",
        "What stood there is lost, and the model learns to write the replacement.",
    ),
    "control_characters": Kind(
        "Control characters", WARNING, "{rows} with control characters. The first: {detail}.",
        "They are invisible on screen, and the model learns to write them.",
    ),
    "other_language": Kind(
        "Other language", INFO, "{rows} in another language than the rest ({detail}).",
        "A few rows in another language may be there by mistake, or may be too few to teach it.", ALL_ROWS,
    ),
    "refusal": Kind(
        "Refusals", WARNING, "{rows} whose answer starts as a boilerplate refusal. The first: {detail}.",
        "The model learns to refuse such requests, in another model's words.",
    ),
    "secret": Kind(
        "Secrets", WARNING, "{rows} that seem to hold a key or password. The first: {detail}.",
        "What is trained on can be brought out of the model again by those who use it.",
    ),
    "email": Kind(
        "E-mail addresses", INFO, "{rows} with an e-mail address.",
        "Addresses of people can be brought out of the model again by those who use it.",
    ),
    "class_imbalance": Kind(
        "Uneven classes", WARNING, "{detail}.",
        "The loss is a mean over rows, so the large class weighs as many times more as it has more rows.", ALL_ROWS,
    ),
    "outlier_length": Kind(
        "Unusual length", INFO, "{rows} of unusual length: {detail}.",
        "Very long or short rows are often several rows run together, or what is left of a broken one.", ALL_ROWS,
    ),
    "unseen_rows": Kind(
        "Rows not reached", WARNING, "{detail}.",
        "What the run does not reach is not learnt.", JOB,
    ),
    "many_epochs": Kind(
        "Many epochs", WARNING, "{detail}.",
        "Text seen more than about four times adds little and is learnt by heart (Muennighoff et al., 2023, "
        "arXiv:2305.16264, for pretraining).", JOB,
    ),
    "split_markers": Kind(
        "Split markers", WARNING, "Markers of the chat template that are not single tokens here: {detail}.",
        "The model sees each of them as several pieces of ordinary text that a user can type too.", JOB,
    ),
    "foreign_template": Kind(
        "Another template", INFO, "The chat template is {detail}.",
        "A model that was tuned for chat answers best in the format it was tuned with.", JOB,
    ),
    "no_end_token": Kind(
        "No end token", WARNING,
        "The tokenizer has neither chat template nor end token, so the model never learns to stop.",
        "Answers then go on until the limit of tokens is reached.", JOB,
    ),
    "pad_is_end": Kind(
        "Padding is the end", INFO, "The tokenizer pads with its end token {detail}.",
        "Luthier masks padding by its place, so the end is still learnt; tools that mask it by its id unlearn it.", JOB,
    ),
    "dated_template": Kind(
        "Dated template", WARNING,
        "The chat template writes the day's date into every row, so data prepared on another day differs.",
        "Two runs of the same job then do not train on the same tokens.", JOB,
    ),
    "unused_columns": Kind(
        "Unused columns", INFO, "Columns that are not read: {detail}.",
        "What stands in them is not trained on.", JOB,
    ),
})  # fmt: skip
"""Every kind by its name, in the order in which findings are shown."""
