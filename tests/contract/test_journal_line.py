"""A journal line: what is damaged is noticed, never taken for another record."""

import json
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.journal_line import encode_line, parse_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.integers(1, 10**12), st.dictionaries(st.text(), JSON, max_size=4))
def test_that_a_line_comes_back_and_is_one_line(seq: int, body: dict[str, Any]) -> None:
    line = encode_line(seq, body)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    parsed = parse_line(line)
    assert parsed is not None and parsed.seq == seq
    assert parsed.body.decode("utf-8", "strict") is not None


@given(st.data())
def test_that_one_flipped_bit_is_always_noticed(data: st.DataObject) -> None:
    line = encode_line(41, {"k": "step", "loss": 1.25})
    position = data.draw(st.integers(0, len(line) - 2))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(line)
    damaged[position] ^= 1 << bit
    parsed = parse_line(bytes(damaged))
    assert parsed is None or (parsed == parse_line(line) and damaged.lower() == line.lower())


@given(st.integers(0, 200))
def test_that_a_torn_line_is_no_record(cut: int) -> None:
    line = encode_line(7, {"k": "state", "state": "running", "reason": "x" * 120})
    assert parse_line(line[: min(cut, len(line) - 2)]) is None


def test_that_the_checksum_covers_number_and_text_as_documented() -> None:
    line = encode_line(3, {"a": float("nan")})
    covered = b'3 {"a":"nan"}'
    assert line == b"%08x %s\n" % (zlib.crc32(covered), covered)


def test_that_nonsense_is_no_record() -> None:
    for text in (b"", b"\n", b"zzzzzzzz 1 {}", b"00000000 1 {}", b"0" * 5000, b"%08x nope" % zlib.crc32(b"nope")):
        assert parse_line(text) is None


def test_that_lone_surrogates_do_not_stop_a_writer() -> None:
    parsed = parse_line(encode_line(1, {"text": "\ud800"}))
    assert parsed is not None and json.loads(parsed.body)
