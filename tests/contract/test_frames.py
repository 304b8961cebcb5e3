"""Frames: any cut of the stream gives the same messages, and nonsense ends it at once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_agent.contract.frames import Frame, FrameError, FrameReader, encode_frame

FRAMES = st.lists(
    st.builds(Frame, st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), st.binary(max_size=50)),
    max_size=6,
)


@given(FRAMES, st.lists(st.integers(0, 400), max_size=10))
def test_that_any_cut_of_the_stream_gives_the_same_frames(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(frame) for frame in frames)
    reader, received = FrameReader(), []
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in itertools.pairwise(borders):
        received += reader.feed(stream[start:end])
    assert received == frames


@pytest.mark.parametrize("stream", [b"\xff" * 8, b"\0\0\0\x02\0\0\0\0[]", b"\0\0\0\x01\0\0\0\0x", b"Last login: today"])
def test_that_a_stream_out_of_step_is_an_error(stream: bytes) -> None:
    with pytest.raises(FrameError):
        FrameReader().feed(stream)


def test_that_an_oversized_frame_is_refused_by_its_sender() -> None:
    with pytest.raises(FrameError, match="over the limit"):
        encode_frame(Frame({"frame": "chunk"}, b"x" * (1 << 21)))
