"""One job's look at its data: the rows at once, and what a scan found of them as far as it has come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from remote_agent.contract.data_report import BatchingReport, DataReport
from remote_agent.contract.data_spec import all_sources
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.dataset.conversation import Example
from remote_agent.dataset.corpus import Corpus, CorpusSource, Plan
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.encoding import EncodedRow, RowEncoder
from remote_agent.dataset.findings import Found
from remote_agent.dataset.inspection_cache import InspectionCache, keys_of
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.kept_found import read_found
from remote_agent.dataset.known import Known, SourceFacts, facts_of
from remote_agent.dataset.lately import Lately
from remote_agent.dataset.packed_rows import PackedRows
from remote_agent.dataset.row_arrays import CHUNK_ROWS, NO_ROWS, RowArrays, let_go, read_arrays
from remote_agent.dataset.row_file import RowFile
from remote_agent.dataset.row_report import RowTotals, batching_at, report_of, totals_of
from remote_agent.dataset.shapes import row_shape
from remote_agent.dataset.tokenizer_files import ModelTokenizer

_FIRST_ROWS = 20
_MOST_PACKED = 3_000_000  # rows whose sequences are worked out beside a window: 50 bytes a row meanwhile


class _Opened(NamedTuple):
    """What needs the tokenizer."""

    corpus: Corpus
    encoder: RowEncoder


class Look:
    """What is known of the data under one job. One thread changes it, any may read.

    Attributes:
        version: the client's number of the job.
        made: the file of rows that the job's steps made; None where there is none or that is not known yet.
        plan: which rows are trained, None while that is not decided.
        arrays: the numbers of the rows that were read.
        found: findings so far.
        is_known: a scan has nothing to add.
    """

    def __init__(self, inputs: Inputs, cache_root: Path, version: int, before: Look | None = None) -> None:
        """Look at the state of the files; ``before`` lends its tokenizer. Raises DataError, OSError."""
        data = inputs.job.data
        given, wanted = len(inputs.paths.data), len(all_sources(data))
        if given != wanted:
            raise DataError(f"The job has {wanted} sources of data and {given} paths. Look at the data again.")
        self.inputs, self.version = inputs, version
        self._cache_root = cache_root
        self.cache = InspectionCache(cache_root, inputs.paths)
        self.made = self.cache.made(inputs)
        self.keys = keys_of(inputs, self.made)
        self._tokenizer = (inputs.model_path, data.chat_template, data.added_tokens)
        same = before is not None and before._tokenizer == self._tokenizer
        self._model: Future[ModelTokenizer] | None = before._model if before is not None and same else None
        self._guard = threading.Lock()
        self._reading = threading.Lock()
        self._first: tuple[CorpusSource, ...] = ()
        self._opened: _Opened | None = None
        self._facts: tuple[SourceFacts, ...] = ()
        self._packed: PackedRows | None = None
        self._mixed: tuple[tuple[int, int], Plan | None] | None = None
        self._totals: Lately[RowTotals] = Lately()
        self._at_length: Lately[tuple[Found, ...]] = Lately()
        self.plan: Plan | None = None
        self.arrays: RowArrays = NO_ROWS
        self.found: tuple[Found, ...] = ()
        self.is_known = False
        if before is not None and before.is_known and same and self._is_of_same_rows(before):
            self._take_from(before)

    def _is_of_same_rows(self, other: Look) -> bool:
        """Say whether another look, of a tokenizer that is loaded, is of the same files and the same choice of rows."""
        return self.load().done() and (self.cache.folder, self.keys.plan) == (other.cache.folder, other.keys.plan)

    def _take_from(self, other: Look) -> None:
        """Take over all that is known of the same rows: only their length, or what becomes of it, is another."""
        self.plan, self.arrays, self.found, self._facts = other.plan, other.arrays, other.found, other._facts
        self.is_known = True

    @property
    def is_settled(self) -> bool:
        """Say whether it is known which rows the job's steps made."""
        return not self.inputs.makes_rows or self.cache.hashes() is not None

    def settle(self) -> None:
        """Find the rows that the job's steps made, which lie under the hash of the data. Raises DataError, OSError."""
        self.cache.take_hashes()
        self.made = self.cache.made(self.inputs)
        self.keys = keys_of(self.inputs, self.made)
        self.open()

    def open(self) -> None:
        """Read the first rows, and take in what the cache has; not where all is known. Raises DataError, OSError."""
        if self.is_known:
            return
        with self._reading:
            self._first, self._opened = self._first_sources(), None
            self._facts = facts_of(self._first)
            self.plan = self.cache.plan(self.keys)
        self.arrays = self.cache.arrays(self.keys) or self.arrays
        found = self.cache.found(self.keys)
        self.found = self.found if found is None else found
        whole = self.plan is not None and self.arrays.rows == self.plan.rows
        self.is_known = whole and found is not None and bool(self.cache.content_hash())

    def _first_sources(self) -> tuple[CorpusSource, ...]:
        """Open the training sources without the tokenizer, which takes longer to load than a few rows to read."""
        paths, data = self.inputs.paths, self.inputs.job.data
        found = []
        for number, (path, spec) in enumerate(zip(paths.data, all_sources(data), strict=True)):
            rows = RowFile(path, self.cache.folder, number, max_rows=spec.max_rows)
            first = rows.rows(0, _FIRST_ROWS)
            if not first:
                raise DataError(f"{path.name}: there is no row in it; choose a file with rows.")
            found.append(CorpusSource(path, rows, row_shape(first, spec, data), is_held_out=False))
        return tuple(found)

    def load(self) -> Future[ModelTokenizer]:
        """Begin to load the tokenizer, once."""
        with self._guard:
            if self._model is None:
                pool = ThreadPoolExecutor(1, thread_name_prefix="tokenizer")
                self._model = pool.submit(self.inputs.tokenizer)
                pool.shutdown(wait=False)
            return self._model

    @property
    def model(self) -> ModelTokenizer:
        """Return the tokenizer, waiting for it. Raises DataError, OSError."""
        return self.load().result()

    def request(self, what: str, **more: Any) -> dict[str, Any]:
        """Return the arguments that have another process work on the same."""
        inputs = self.inputs
        return {
            "what": what,
            "job": spec_to_dict(inputs.job),
            "model_path": str(inputs.model_path),
            "data_paths": [str(path) for path in inputs.paths.data],
            "held_out_path": str(inputs.paths.held_out or ""),
            "cache_root": str(self._cache_root),
            **more,
        }

    def row_count(self) -> int:
        """Return the number of rows of all files, estimated while that is not known."""
        return self.plan.rows if self.plan is not None else sum(facts.rows for facts in self._facts)

    def examples(self, start: int, count: int) -> list[Example]:
        """Return rows by their indices, fewer at the end. Raises DataError where the files are not what they were."""
        if not self.load().done() and not self.inputs.job.data.steps:
            with self._reading:
                first = self._first[0]
                rows = first.rows.rows(start, count)
                if len(rows) == count:
                    return [first.shape.example(row) for row in rows]
        with self._ready() as opened:
            return opened.corpus.rows_at(start, count)

    def single_examples(self, indices: list[int]) -> list[Example]:
        """Return rows by their indices one by one. Raises as `examples`."""
        with self._ready() as opened:
            return [example for index in indices for example in opened.corpus.rows_at(index, 1)]

    def encoded(self, index: int) -> EncodedRow:
        """Return one row as tokens with their places in the text. Raises DataError also where there is no such row."""
        with self._ready() as opened:
            examples = opened.corpus.rows_at(index, 1) if index >= 0 else []
            if not examples:
                raise DataError(f"There is no row {index + 1} in the data.")
            (batch,) = opened.encoder.encode(examples, strict=False, offsets=True)
            return batch[0]

    @contextmanager
    def _ready(self) -> Iterator[_Opened]:
        """Have the rows to oneself, once the tokenizer is there; nobody waits for it with the rows in hand."""
        model = self.model
        with self._reading:
            if self._opened is None:
                self.cache.check_files()
                corpus = self.inputs.corpus(model, self.cache.folder, self.made)
                if self.plan is not None:
                    corpus.index()
                self._opened = _Opened(corpus, RowEncoder(model, self.inputs.job.data))
            yield self._opened

    def take_plan(self) -> None:
        """Take in the scan's decision which rows are trained, and its index of the files."""
        if self.plan is None:
            self.open()

    def take_arrays(self, folder: Path) -> None:
        """Take in the numbers of rows that a scan has written. Raises DataError, OSError."""
        self.arrays = read_arrays(folder)

    def take_found(self, folder: Path) -> None:
        """Take in the findings that a scan has written. Raises ValueError, OSError."""
        self.found = read_found(folder)

    def adopt(self, other: Look) -> None:
        """Take over from a look at the same data what holds under this job too."""
        if other.keys.tokens == self.keys.tokens and other.arrays.rows > self.arrays.rows:
            self.arrays = other.arrays
        if not self.found:
            self.found = other.found
        if other.keys.plan == self.keys.plan:
            self._totals = other._totals

    def findings(self) -> tuple[Found, ...]:
        """Return the findings at the job's length, as of a moment ago while rows are read."""
        known = self._known(complete=False)
        state = (id(known.found), known.arrays.rows)
        return self._at_length.get(known.plan is None, state, lambda: known.findings_at(self.inputs.job))

    def rows_of(self, finding: str) -> NDArray[np.int64]:
        """Return the rows of a kind of finding, as far as they are known."""
        return next((one.rows for one in self.findings() if one.kind == finding), _NO_ROWS)

    def part_of(self, index: int) -> str:
        """Return train, held_out, or nothing where a row is in neither or that is not decided."""
        plan = self._plan_at_length()
        if plan is None or index >= plan.rows:
            return ""
        return "train" if plan.train[index] else "held_out" if plan.held_out[index] else ""

    def packed(self) -> PackedRows | None:
        """Return how the training part is packed, None while rows are still being read, or where they are too many."""
        plan = self.plan
        if plan is None or self.arrays.rows < plan.rows or plan.rows > _MOST_PACKED:
            return None
        if self._packed is None:
            mixed = self._plan_at_length() or plan
            self._packed = PackedRows(self.arrays, mixed, self.inputs.job)
        return self._packed

    def _plan_at_length(self) -> Plan | None:
        """Return the plan with the sources' shares made up at the job's length, once all rows are read."""
        state = (id(self.plan), self.arrays.rows)
        if self._mixed is None or self._mixed[0] != state:
            self._mixed = state, self._known(complete=False).mixed_at(self.inputs.job).plan
        return self._mixed[1]

    def batching(self, length: int) -> tuple[BatchingReport, ...]:
        """Return the ways of making batches at a length."""
        found = batching_at(self._known(complete=False), self.inputs.job, length)
        self._let_go()
        return found

    def report(self, complete: bool, with_findings: bool = True) -> DataReport:
        """Return the report as of now; with findings it waits for the tokenizer. Raises DataError, OSError."""
        known = self._known(complete)
        state = (known.plan is None, known.arrays.rows)
        totals = self._totals.get(None, state, lambda: totals_of(known), exactly=complete)
        model = self.model if with_findings else None
        report = report_of(self.inputs.job, model, known, totals, self.inputs.model_limit)
        self._let_go()
        return report

    def _let_go(self) -> None:
        """Give back the memory of what was read of very many rows' files; few are kept at hand."""
        plan = self.plan
        if plan is not None and plan.rows > CHUNK_ROWS:
            self.arrays.let_go()
            let_go(plan.kept, plan.train, plan.held_out)

    def _known(self, complete: bool) -> Known:
        return Known(self._facts, self.plan, self.arrays, self.found, self.cache.content_hash(), complete)


_NO_ROWS = np.zeros(0, dtype=np.int64)
