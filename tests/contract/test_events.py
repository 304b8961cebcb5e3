"""Events on the wire: they come back as they went, and what is foreign is kept, not dropped."""

import dataclasses
import json
import math
from typing import Any

import pytest

from remote_agent.contract import events
from remote_agent.contract.events import Event, StateChanged, StepCompleted, Unknown, event_from_body, event_to_body
from remote_agent.contract.journal_line import strict

_SAMPLES: dict[str, Any] = {"int": 3, "float": 0.25, "str": "text", "bool": True}

_EVENT_CLASSES: list[Any] = [
    found for found in vars(events).values() if dataclasses.is_dataclass(found) and hasattr(found, "kind")
]
EVERY_KIND = [
    event_class(**{f.name: _SAMPLES.get(str(f.type), ()) for f in dataclasses.fields(event_class)})
    for event_class in _EVENT_CLASSES
]


@pytest.mark.parametrize("event", EVERY_KIND, ids=lambda event: event.kind)
def test_that_an_event_survives_the_wire(event: Event) -> None:
    body = json.loads(json.dumps(strict(event_to_body(event, 12.5))))
    assert event_from_body(body) == (12.5, event)


def test_that_not_a_number_survives_strict_json() -> None:
    step = StepCompleted(1, 2, math.nan, 1e-5, math.inf, 10, 5, 1.0, 1.0, 0, 0.1)
    back = event_from_body(json.loads(json.dumps(strict(event_to_body(step, 0.0)), allow_nan=False))).event
    assert isinstance(back, StepCompleted) and math.isnan(back.loss) and back.gradient_norm == math.inf


def test_that_a_newer_field_is_ignored_and_a_missing_one_takes_its_default() -> None:
    stamped = event_from_body({"k": "state", "t": 1, "state": "running", "mood": "calm"})
    assert stamped == (1.0, StateChanged("running"))


@pytest.mark.parametrize(
    "body",
    [
        {"k": "weather", "t": 1.0},
        {"k": "state"},
        {"k": "state", "state": 5},
        {"k": "state", "state": "running", "attempt": True},
        {"k": 7, "t": "later"},
        {},
    ],
)
def test_that_a_foreign_or_broken_event_is_kept_whole(body: dict[str, Any]) -> None:
    event = event_from_body(body).event
    assert isinstance(event, Unknown) and event.body == body


def test_that_every_state_of_the_table_can_be_reached_and_no_target_is_missing() -> None:
    targets = {target for followers in events.TRANSITIONS.values() for target in followers}
    assert targets <= set(events.TRANSITIONS)
    assert set(events.TRANSITIONS) - targets == {events.QUEUED}
    assert set(events.TRANSITIONS) >= events.ENDED
