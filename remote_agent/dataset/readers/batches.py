"""Rows out of batches of Arrow's columns, each value as JSON would give it."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Generator, Iterator
from typing import Any

from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.rows import Entry, Mark

_BATCH_ROWS = 512
_BATCH_BYTES = 16 << 20
_BATCH_VALUES = 1 << 20


class BatchReader:
    """The rows of batches; a text among the batches is a row that cannot be read."""

    def __init__(self, batches: Iterator[tuple[Any, Mark | None]], decoded: frozenset[str]) -> None:
        self._batches = batches
        self._end: Mark | None = None
        self._decoded = decoded
        self._batch: Any = None
        self._at = 0

    def entries(self) -> Generator[Entry, None, None]:
        """Yield the rows that follow."""
        while self._batch is not None or self._next():
            if isinstance(self._batch, str):
                problem, self._batch = self._batch, None
                yield Entry(0, {}, problem)
                continue
            while self._at < self._batch.num_rows:
                for entry in self._some():
                    self._at += 1
                    yield entry
            self._batch = None

    def skip(self, count: int) -> int:
        """Pass over rows."""
        passed = 0
        while passed < count and (self._batch is not None or self._next()):
            rows = 1 if isinstance(self._batch, str) else self._batch.num_rows - self._at
            taken = min(rows, count - passed)
            passed += taken
            self._at += taken
            if taken == rows:
                self._batch = None
        return passed

    def mark(self) -> Mark | None:
        """Return the place behind a batch once it is passed; readers start at no other."""
        return self._end if self._batch is None or self._at >= self._batch.num_rows else None

    def close(self) -> None:
        """Let go of the file."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()

    def _next(self) -> bool:
        self._batch, end = next(self._batches, (None, None))
        self._at = 0
        if self._batch is not None:
            self._end = end
        return self._batch is not None

    def _some(self) -> list[Entry]:
        """Return the rest of the batch as rows; where its content is damaged, row by row."""
        import pyarrow

        rest = self._batch.slice(self._at)
        try:
            # Without it, damaged lengths make pyarrow read beyond the batch.
            rest.validate(full=True)
        except pyarrow.ArrowException:
            return [self._one(rest.slice(number, 1)) for number in range(rest.num_rows)]
        return [self._entry(record) for record in rest.to_pylist()]

    def _one(self, row: Any) -> Entry:
        import pyarrow

        for name, column in zip(row.schema.names, row.columns, strict=True):
            try:
                column.validate(full=True)
            except pyarrow.ArrowException as error:
                return Entry(
                    0, {}, f"the column {name!r} is damaged ({reason_of(error)}). Copy the file again, or drop the row"
                )
        return self._entry(row.to_pylist()[0])

    def _entry(self, record: dict[str, Any]) -> Entry:
        for name in self._decoded:
            record[name] = _as_json(record[name])
        return Entry(0, record)


def batch_rows(rows: int, size: int, columns: int) -> int:
    """Return how many of some rows, which are ``size`` bytes, may be held as rows at once."""
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES * max(1, rows) // max(1, size), _BATCH_VALUES // max(1, columns)))


def arrow_input(source: ByteSource) -> Any:
    """Open a file for pyarrow. It is not mapped: a mapped file that shrinks ends the process."""
    import pyarrow

    return pyarrow.OSFile(str(source.path), "rb") if source.is_plain else source.open()


def sliced(batches: Iterator[tuple[Any, Mark]]) -> Iterator[tuple[Any, Mark | None]]:
    """Yield batches in pieces that may be held as rows, and with the last piece of each the place behind it."""
    for batch, end in batches:
        if isinstance(batch, str):
            yield batch, end
            continue
        most = batch_rows(batch.num_rows, batch.nbytes, batch.num_columns)
        for start in range(0, batch.num_rows, most):
            yield batch.slice(start, most), end if start + most >= batch.num_rows else None


def unlike_json(schema: Any) -> frozenset[str]:
    """Return the columns that hold what JSON does not know: bytes, dates, decimals, maps."""
    return frozenset(name for name, kind in zip(schema.names, schema.types, strict=True) if not _is_plain(kind))


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        return all(_is_plain(kind.field(number).type) for number in range(kind.num_fields))
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    tests = (
        types.is_string,
        types.is_large_string,
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_null,
    )
    return any(test(kind) for test in tests)


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return f"({len(value):,} bytes)"
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def damage_errors() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises for files that are damaged; names of columns may be no UTF-8."""
    import pyarrow

    return (pyarrow.ArrowException, OSError, UnicodeDecodeError)


def reason_of(error: Exception) -> str:
    """Return the first line of what pyarrow says."""
    return (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
