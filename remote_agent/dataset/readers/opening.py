"""Which reader a file gets: by its content where that is telling, else by its name's ending."""

from __future__ import annotations

from pathlib import Path

from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers.arrow_rows import ArrowFormat
from remote_agent.dataset.readers.byte_source import ByteSource
from remote_agent.dataset.readers.csv_rows import CsvFormat
from remote_agent.dataset.readers.json_rows import LINES, JsonFormat, layout_of
from remote_agent.dataset.readers.jsonl_rows import JsonLinesFormat
from remote_agent.dataset.readers.parquet_rows import ParquetFormat
from remote_agent.dataset.readers.rows import RowFormat
from remote_agent.dataset.readers.text_rows import TextFormat
from remote_agent.dataset.readers.unpacking import PACKED_ENDINGS

ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".md")
"""What a data file's name ends in, perhaps with .gz, .zst or .zstd behind it."""

_NUL_SHARE = 0.02
_HEAD_BYTES = 16
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save the sheet as CSV",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"%PDF": "a PDF; save its text as .txt",
    b"SQLite format 3": "a database; save its table as CSV",
    b"BZh": "a bzip2 archive; unpack it, or pack it with gzip or zstd",
    b"\xfd7zXZ": "an xz archive; unpack it, or pack it with gzip or zstd",
    b"\x7fELF": "a program",
    b"GGUF": "a model",
}


def ending_of(path: Path) -> str:
    """Return the ending that says what a file holds, in small letters, without the one of its packing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED_ENDINGS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def format_of(source: ByteSource) -> RowFormat:
    """Return how a file's rows are read.

    Raises:
        DataError: it is no data file at all, or damaged at its very beginning.
    """
    ending = ending_of(source.path)
    if source.magic.startswith(b"PAR1") or ending == ".parquet":
        return ParquetFormat(source)
    if source.magic.startswith(b"ARROW1") or ending == ".arrow":
        return ArrowFormat(source)
    _refuse_foreign(source)
    if ending in (".csv", ".tsv"):
        return CsvFormat(source, ending)
    if ending in (".txt", ".md"):
        return TextFormat(source, ending)
    layout = layout_of(source, ending)
    return JsonLinesFormat(source) if layout == LINES else JsonFormat(source, layout)


def _refuse_foreign(source: ByteSource) -> None:
    for magic, what in _FOREIGN.items():
        if source.magic.startswith(magic):
            raise DataError(f"{source.name}: its content is no data file's but {what}.")
    sample = source.sample()
    # A good beginning with NUL bytes behind it is a file whose writing was cut by a crash: its rows are read.
    if b"\0" in sample[:_HEAD_BYTES] and sample.count(0) > _NUL_SHARE * len(sample):
        raise DataError(
            f"{source.name}: it holds NUL bytes throughout, so it is no text; it may be damaged. Make or copy it again."
        )
