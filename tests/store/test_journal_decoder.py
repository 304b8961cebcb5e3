from __future__ import annotations

import math
import random
import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from remote_agent.contract.events import (
    Complained,
    Evaluated,
    Event,
    NodeSampled,
    RankExited,
    Stamped,
    StateChanged,
    StepCompleted,
    Unknown,
    event_from_body,
    event_to_body,
)
from remote_agent.contract.journal_line import encode_line
from studio.store.journal_decoder import decode_lines, parse_json
from studio.store.live import STEP_COLUMNS, RunBatch
from tests.support.journals import event_lines, header_line, step_event, step_line, step_segments


def decoded(body: bytes) -> RunBatch:
    batch = RunBatch()
    decode_lines(body, batch)
    return batch


def raw_line(text: bytes, seq: int = 1) -> bytes:
    covered = b"%d %s" % (seq, text)
    return b"%08x %s\n" % (zlib.crc32(covered), covered)


def test_that_updates_go_into_columns_and_the_rest_into_events_in_order() -> None:
    evaluated = Evaluated(1, 2, 1.5, math.exp(1.5), 100, 10, 0.5)
    events: list[Event] = [StateChanged("running", 1), step_event(1), step_event(2), evaluated, step_event(3)]
    batch = decoded(header_line() + event_lines(events))
    assert [stamped.event for stamped in batch.events] == [StateChanged("running", 1), evaluated]
    assert list(batch.steps.column("step")) == [1.0, 2.0, 3.0]
    assert list(batch.steps.column("loss")) == [step_event(step).loss for step in (1, 2, 3)]
    assert batch.damaged == 0


def test_that_the_quick_way_and_the_contract_agree_on_every_field() -> None:
    for step in (1, 99, 12_345):
        line = encode_line(step, event_to_body(step_event(step, attempt=2), 1_764_000_000.25))
        batch = decoded(line)
        event = step_event(step, attempt=2)
        for name in STEP_COLUMNS:
            expected = 1_764_000_000.25 if name == "time_s" else float(getattr(event, name))
            assert list(batch.steps.column(name)) == [expected], name


def test_that_the_generated_journals_say_what_a_writer_would() -> None:
    batch = decoded(step_line(7, 7))
    assert abs(batch.steps.column("loss")[0] - step_event(7).loss) < 1e-12
    body = decoded(b"".join(step_segments(50)))
    assert len(body.steps) == 50 and body.damaged == 0 and body.events == []


def test_that_losses_that_are_no_numbers_stay_so() -> None:
    body = event_lines([step_event(1), step_event(2, loss=math.nan), step_event(3, loss=math.inf), step_event(4)])
    losses = list(decoded(body).steps.column("loss"))
    assert losses[0] == step_event(1).loss and math.isnan(losses[1]) and losses[2] == math.inf
    assert losses[3] == step_event(4).loss


def test_that_an_update_whose_fields_stand_in_another_order_keeps_its_place() -> None:
    fields = event_to_body(step_event(2), 0.0)
    turned = encode_line(2, dict(reversed(list(fields.items()))))
    batch = decoded(event_lines([step_event(1)]) + turned + event_lines([step_event(3)], first_seq=3))
    assert list(batch.steps.column("step")) == [1.0, 2.0, 3.0]


def test_that_a_damaged_line_costs_itself_only() -> None:
    lines = [step_line(seq, seq) for seq in range(1, 6)]
    lines[1] = lines[1].replace(b'"loss"', b'"lost"')
    lines[3] = lines[3][:40] + b"\n"
    batch = decoded(b"".join(lines))
    assert list(batch.steps.column("step")) == [1.0, 3.0, 5.0]
    assert batch.damaged == 2


def test_that_hostile_lines_are_counted_and_passed_over() -> None:
    hostile = [
        raw_line(b"[" * 100_000),
        raw_line(b'{"k":' * 50_000),
        raw_line(b"[1,2]"),
        raw_line(b"\xff\xfe"),
        raw_line(b""),
        raw_line(b'{"k":"step",' + b" " * (1 << 20) + b"}"),
        b"\x00" * 4096 + b"\n",
        b"zzzzzzzz 1 {}\n",
        b"12345678 \n",
    ]
    batch = decoded(step_line(1, 1) + b"".join(hostile) + step_line(2, 2))
    assert batch.damaged == len(hostile)
    assert list(batch.steps.column("step")) == [1.0, 2.0]
    assert batch.events == []


def test_that_numbers_beyond_64_bits_and_wrong_shapes_become_unknown_events() -> None:
    huge = b"9" * 400
    step = raw_line(b'{"k":"step","t":0,"attempt":1,"step":' + huge + b',"loss":1,"learning_rate":1,"gradient_norm":1,'
                    b'"tokens":1,"supervised_tokens":1,"tokens_per_s":1,"step_time_s":1,"peak_memory_bytes":1,'
                    b'"epoch":1}')  # fmt: skip
    node = encode_line(2, event_to_body(NodeSampled(1.0, 1, 1, 1), 0.0) | {"gpus": ["text"]})
    exited = encode_line(3, event_to_body(RankExited(1, 0, 1), 0.0) | {"last_lines": [{}]})
    batch = decoded(step + node + exited)
    assert [type(stamped.event) for stamped in batch.events] == [Unknown, Unknown, Unknown]
    assert len(batch.steps) == 0


def test_that_what_json_allows_and_msgspec_refuses_is_still_read() -> None:
    assert parse_json(b'{"a":"\\ud800"}') == {"a": "?"}
    assert parse_json(b'{"a":1e999}') is None or math.isinf(parse_json(b'{"a":1e999}')["a"])
    assert parse_json(b"9" * 5000) is None
    batch = decoded(raw_line(b'{"k":"complaint","t":0,"severity":"warning","sentence":"half \\udc80"}'))
    assert batch.events == [Stamped(0.0, Complained("warning", "half ?"))]


def test_that_kinds_of_a_newer_writer_are_kept_whole() -> None:
    body: dict[str, Any] = {"k": "amended", "t": 5.0, "from_step": 7}
    batch = decoded(encode_line(1, body))
    assert batch.events == [Stamped(5.0, Unknown("amended", body))]


def test_that_injected_objects_do_not_become_updates() -> None:
    good = step_line(1, 1)
    two = raw_line(good[9:].partition(b" ")[2].strip() + b',{"k":"step"}')
    batch = decoded(good + two + step_line(2, 2))
    assert list(batch.steps.column("step")) == [1.0, 2.0]
    assert batch.damaged == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=40))
def test_that_any_damage_leaves_the_lines_around_it_readable(seed: int, noise: bytes) -> None:
    chance = random.Random(seed)
    lines = [step_line(seq, seq) for seq in range(1, 12)]
    victim = chance.randrange(11)
    at = chance.randrange(len(lines[victim]) - 1)
    lines[victim] = lines[victim][:at] + noise.replace(b"\n", b"") + lines[victim][at + 1 :]
    steps = list(decoded(b"".join(lines)).steps.column("step"))
    assert set(range(1, 12)) - {int(step) for step in steps} <= {victim + 1}


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(["step", "state", "node", "evaluated", "rank_exited", "header", "x"]),
)
def test_that_no_body_at_all_breaks_the_reader(value: Any, kind: str) -> None:
    body = value if isinstance(value, dict) else {"t": value, "step": value, "gpus": value}
    line = encode_line(1, body | {"k": kind})
    batch = decoded(step_line(1, 1) + line + step_line(2, 2))
    assert 2 <= len(batch.steps) <= 3
    if kind not in ("step", "header"):
        assert len(batch.events) + batch.damaged == 1


def test_that_the_contract_reads_the_same_events() -> None:
    events: list[Event] = [StateChanged("failed", 2, "why"), Complained("error", "a sentence", 1)]
    expected = [event_from_body(event_to_body(event, 0.0)).event for event in events]
    assert [stamped.event for stamped in decoded(event_lines(events)).events] == expected
    assert isinstance(step_event(1), StepCompleted)
