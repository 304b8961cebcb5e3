"""What can be said of a row from its texts alone: damaged characters, refusals, secrets, empty answers, odd order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from remote_agent.dataset.conversation import Turn
from remote_agent.dataset.findings.found import RowNotes
from remote_agent.dataset.findings.row_batch import RowBatch
from remote_agent.dataset.findings.secrets_in_text import (
    KEY_CUES,
    PRIVATE_KEY_CUE,
    SHORTEST_KEY,
    find_email,
    find_secret,
)

_DAMAGED, _CONTROL, _SOLID, _AT = 1, 2, 4, 8
_CLASSES = np.zeros(256, dtype=np.uint8)
# Lead bytes in UTF-8 of the letters with accents that damaged text is full of, and of U+FFFD.
_CLASSES[[0xC3, 0xEF]] |= _DAMAGED
_CLASSES[[*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0xC2, 0xEF]] |= _CONTROL
_CLASSES[0x21:0x7F] |= _SOLID
_CLASSES[ord("@")] |= _AT

# The bytes of a UTF-8 character read as Windows-1252 or Latin-1: a letter with an accent, then one to three of these.
# Where real text could look so (a capital before a closing quote), a letter has to follow or it has to come in a row.
_QUOTES = "‚„‘’“”‹›«»…–—"
_SURE = "\u0080-\u00aa\u00ac-\u00ba\u00bc-\u00bf€ƒ†‡ˆ‰Š•Œ˜™šœŽžŸ"
_TAIL = _SURE + _QUOTES
_MOJIBAKE = re.compile(
    rf"[ÂÃ](?:[{_SURE}]|[{_QUOTES}](?=[a-z]))|(?:[ÂÃÄÅÎÏÐÑ×ØÙ][{_TAIL}]){{2,}}|â[€‚„†ˆ˜œ\u0080\u0082\u0084\u0086\u0088\u0098\u009c][{_TAIL}]"
    rf"|(?:[à-ï][{_TAIL}]{{2}}){{2,}}|ð[{_TAIL}]{{3}}"
)
_LOST = "\ufffd"
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

_NOT = r"(?:can(?:'|’)?t|cannot|can not|won(?:'|’)?t|will not|(?:do|does|am|is|are|was)(?:n(?:'|’)t| not)|unable|not)"
_REFUSAL = re.compile(
    r"\W*(?:"
    # An apology, and what cannot be done.
    r"(?:i(?:(?:'|’)?m| am) (?:very |so |really |truly )?sorry|sorry|i apologi[sz]e|my apologies|unfortunately)"
    rf"[\s,.:;–—-]*(?:but )?(?:as an? (?:ai\b|artificial|(?:large )?language model)|(?:i|we)(?:(?:'|’)m| am)? {_NOT}\b"
    r"(?: have| be)?(?: able| access| the (?:ability|capability|capacity))?(?: to)?(?: (?:help|assist|provide|fulfil"
    r"|comply|complete|do that|create|generate|answer|engage|support|access|perform|browse|write|book|order|external"
    r"|real)|[.,]|$))"
    # What it is, and what it therefore does not do.
    r"|(?:as an? |i(?:(?:'|’)m| am) (?:just |only )?an? )(?:(?:large )?language model"
    rf"|(?:ai\b|artificial intelligence)(?: language model\b|[^.!?\n]{{0,80}}?\b{_NOT}\b))"
    # What it will not do.
    rf"|i(?:(?:'|’)m| am)? {_NOT} (?:to |able to |going to )?(?:assist|help (?:you )?with|comply|fulfil|provide that"
    r"|engage in|generate (?:that|such|this|content)|create (?:that|such|content))"
    r")",
    re.IGNORECASE,
)
_REFUSAL_STARTS = ("i", "s", "a", "m", "u")
_SHOWN_CHARACTERS = 60


class TextChecks:
    """The kinds that a row's texts decide: one pass over the bytes finds the rows that are looked at more closely."""

    kinds = frozenset(
        (
            "empty_response",
            "role_order",
            "refusal",
            "wrong_encoding",
            "lost_characters",
            "control_characters",
            "secret",
            "email",
        )
    )

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = self.kinds & set(wanted)
        self.notes = RowNotes()

    def take(self, batch: RowBatch) -> None:
        """Take in a batch."""
        for number, conversation in enumerate(batch.conversations):
            for kind, detail in self._of_turns(conversation.turns):
                self.notes.add(kind, int(batch.index[number]), detail)
        if self._wanted - {"empty_response", "role_order", "refusal"}:
            self._scan_bytes(batch)

    def _of_turns(self, turns: Sequence[Turn]) -> list[tuple[str, str]]:
        found = []
        if "empty_response" in self._wanted and any(is_empty_answer(turn) for turn in turns):
            found.append(("empty_response", ""))
        if "role_order" in self._wanted and (oddity := role_oddity(turns)):
            found.append(("role_order", oddity))
        if "refusal" in self._wanted and (refusal := refusal_in(turns)):
            found.append(("refusal", f"“{refusal}”"))
        return found

    def _scan_bytes(self, batch: RowBatch) -> None:
        joined, _ = batch.joined
        classes = _CLASSES[joined]
        for kind, numbers, find in (
            ("control_characters", batch.owners(np.flatnonzero(classes & _CONTROL)), find_control),
            ("wrong_encoding", batch.owners(np.flatnonzero(classes & _DAMAGED)), find_mojibake),
            ("lost_characters", batch.owners(np.flatnonzero(classes & _DAMAGED)), find_lost),
            ("secret", batch.owners(_key_places(joined, classes)), find_secret),
            ("email", batch.owners(np.flatnonzero(classes & _AT)), find_email),
        ):
            if kind not in self._wanted:
                continue
            for number in numbers:
                if detail := find(batch.texts[number]):
                    self.notes.add(kind, int(batch.index[number]), detail)


def _key_places(joined: NDArray[np.uint8], classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where something stands that may be a key: runs without white space of its length with its cue in them.

    A private key alone has its cue in the line above.
    """
    gaps = np.flatnonzero((classes & _SOLID) == 0)
    sizes = np.diff(gaps, prepend=-1) - 1
    ends = gaps[sizes >= SHORTEST_KEY]
    if not len(ends):
        return ends
    starts = ends - sizes[sizes >= SHORTEST_KEY]
    raw = joined.tobytes()
    runs = [raw[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    firsts = np.cumsum([0, *(len(run) + 1 for run in runs)])
    cues = np.array([match.start() for match in KEY_CUES.finditer(b"\n".join(runs))], dtype=np.int64)
    headers = [match.start() for match in PRIVATE_KEY_CUE.finditer(raw)]
    found = starts[np.searchsorted(firsts, cues, side="right") - 1]
    return np.concatenate([found, np.array(headers, dtype=np.int64)])


def is_empty_answer(turn: Turn) -> bool:
    """Return whether the assistant says nothing and calls nothing."""
    return turn.role == "assistant" and not turn.content.strip() and not turn.extra.get("tool_calls")


def role_oddity(turns: Sequence[Turn]) -> str:
    """Return what is out of order, empty where nothing is; plain text has no order."""
    roles = [turn.role for turn in turns]
    if roles == ["user", "assistant"] or roles == ["text"]:
        return ""
    start = 1 if roles[:1] == ["system"] else 0
    if "system" in roles[start:]:
        return "a system turn stands after the first turn"
    spoken = roles[start:]
    if spoken[:1] == ["assistant"]:
        return "the assistant speaks first"
    if spoken[:1] == ["tool"]:
        return "a tool speaks first"
    for before, after in itertools.pairwise(spoken):
        if before == after and before != "tool":
            return f"two turns of the {before} follow each other"
        if after == "tool" and before == "user":
            return "a tool answers the user"
    if spoken[-1:] != ["assistant"]:
        return f"it ends with the {spoken[-1]}'s turn" if spoken else "nobody speaks after the system turn"
    return ""


def refusal_in(turns: Sequence[Turn]) -> str:
    """Return how the first answer starts that is a boilerplate refusal, empty where none is."""
    for turn in turns:
        if turn.role == "assistant" and turn.content[:1].lower() in _REFUSAL_STARTS and _REFUSAL.match(turn.content):
            start = " ".join(turn.content[:_SHOWN_CHARACTERS].split())
            return start + "…" if len(turn.content) > _SHOWN_CHARACTERS else start
    return ""


def find_mojibake(text: str) -> str:
    """Return the first damaged characters with what they should be, empty where there are none."""
    for match in _MOJIBAKE.finditer(text):
        if meant := undamaged(match.group()):
            return f"{match.group()!r} for {meant!r}"
    return ""


def find_lost(text: str) -> str:
    """Return what stands around the first replacement character, empty where there is none."""
    place = text.find(_LOST)
    return "" if place < 0 else repr(text[max(0, place - 15) : place + 15])


def undamaged(text: str) -> str:
    """Return the text whose UTF-8 bytes were read as Windows-1252 or Latin-1; empty where it was not so."""
    raw = bytearray()
    for character in text:
        try:
            raw += character.encode("cp1252" if ord(character) > 0xFF else "latin-1")
        except UnicodeEncodeError:
            return ""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def find_control(text: str) -> str:
    """Return the first control character by its code and name; line ends and tabs are none. Empty where none is."""
    match = _CONTROLS.search(text)
    return f"U+{ord(match.group()):04X}{_NAMES.get(match.group(), '')}" if match else ""


_NAMES = {"\0": " (NUL)", "\x1b": " (escape)", "\x08": " (backspace)", "\x0c": " (form feed)", "\x7f": " (delete)"}
