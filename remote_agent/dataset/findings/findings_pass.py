"""One pass over the encoded rows that collects every finding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from remote_agent.contract.job_spec import JobSpec
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import EncodedRow
from remote_agent.dataset.findings.found import Found
from remote_agent.dataset.findings.job_checks import RunCheck, job_findings
from remote_agent.dataset.findings.kinds import KINDS
from remote_agent.dataset.findings.languages import LanguageCheck
from remote_agent.dataset.findings.row_batch import RowBatch
from remote_agent.dataset.findings.set_checks import AlikeChecks, ClassCheck, LengthCheck
from remote_agent.dataset.findings.text_checks import TextChecks
from remote_agent.dataset.findings.token_checks import TokenChecks
from remote_agent.dataset.sources import Advance, Cancelled, check, never, no_progress
from remote_agent.dataset.tokenizer_files import ModelTokenizer

_ORDER = {kind: number for number, kind in enumerate(KINDS)}
_SHARE = 0.99


class FindingsPass:
    """Takes rows in as `RowEncoder` yields them, in their order, and then says what was found.

    It holds some 30 bytes a row while rows are compared, and 8 for each finding a row is in; the rest is in temporary
    files where rows are many.
    """

    def __init__(
        self,
        job: JobSpec,
        model: ModelTokenizer,
        kinds: Collection[str] | None = None,
        unused_columns: Sequence[str] = (),
        own_template: str | None = None,
    ) -> None:
        """Look for some kinds, None for all; ``own_template`` is the model's own text where that is known.

        Raises:
            DataError: a kind is unknown; a drop step may name any.
        """
        self._wanted = frozenset(KINDS if kinds is None else kinds)
        if unknown := sorted(self._wanted - KINDS.keys()):
            raise DataError(f"There is no finding named {unknown[0]!r}; there are {', '.join(KINDS)}.")
        self._job, self._model = job, model
        self._unused_columns, self._own_template = unused_columns, own_template
        self._texts = TextChecks(self._wanted)
        self._tokens = TokenChecks(job, model, self._wanted)
        self._alike = AlikeChecks(job, self._wanted)
        self._language = LanguageCheck()
        self._classes = ClassCheck()
        self._lengths = LengthCheck()
        self._run = RunCheck(job, self._wanted)
        checks = (
            self._texts, self._tokens, self._alike, self._language, self._classes, self._lengths, self._run,
        )  # fmt: skip
        self._checks = [one for one in checks if one.kinds & self._wanted]
        needs_lengths = self._wanted & {"over_length", "response_cut"}
        if needs_lengths and self._lengths not in self._checks:
            self._checks.append(self._lengths)

    def take(self, batch: Sequence[EncodedRow], parts: Sequence[str]) -> None:
        """Take in rows; the part of each is "train", "held_out" or "" for neither."""
        assert len(batch) == len(parts)
        self.take_batch(RowBatch(batch, parts))

    def take_batch(self, batch: RowBatch) -> None:
        """Take in rows as `take` does; several passes may share what is worked out of them."""
        for one in self._checks:
            one.take(batch)

    def finish(self, progress: Advance = no_progress, cancelled: Cancelled = never) -> tuple[Found, ...]:
        """Return what was found, in the order it is shown. May be called again after more rows.

        Raises:
            CancelledError: while rows are compared.
        """
        found = [*self._texts.notes.found(), *self._tokens.found()]
        for one in (self._classes, self._lengths, self._language, self._run):
            check(cancelled)
            found += one.found()
        found += self._alike.found(progress, cancelled)
        found += job_findings(self._job, self._model, self._unused_columns, self._own_template)
        holding = (self._lengths.holding(_SHARE), self._lengths.holding(1.0))
        found = [
            replace(one, figures=holding) if one.kind in {"over_length", "response_cut"} else one
            for one in found
            if one.kind in self._wanted
        ]
        return tuple(sorted(found, key=lambda one: _ORDER[one.kind]))
