"""A learning-rate range test on the real local node: through the launch path, found again, and its curve suggests."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.range_test import RangeTest, is_range_test, suggestion
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from tests.session.conftest import LONG_MS

_TEST = RangeTest(1e-5, 1e-1, 24)


def test_that_what_cannot_be_tested_is_refused_with_a_sentence(session: Session) -> None:
    with pytest.raises(ValueError, match="No node is chosen"):
        session.range_tests.start(_TEST)
    session.choose_node(LOCAL_NODE)
    for test, sentence in (
        (RangeTest(1e-2, 1e-5, 24), "has to rise"),
        (RangeTest(1e-5, 1e-2, 9), "10 updates or more"),
        (_TEST, "The job cannot start yet"),
    ):
        with pytest.raises(ValueError, match=sentence):
            session.range_tests.start(test)
    assert session.range_tests.latest() is None


@pytest.mark.slow
def test_that_a_range_test_runs_on_this_computer_is_found_again_and_leaves_the_job_alone(
    ready: Session, qtbot: QtBot
) -> None:
    tests, draft = ready.range_tests, ready.draft
    draft.edit({"batch.micro_batch": 2, "batch.accumulation": 1, "schedule.divergence_factor": 0.0})
    before = draft.spec
    assert tests.latest() is None
    with qtbot.waitSignal(tests.changed, timeout=LONG_MS):
        tests.start(_TEST)
    with pytest.raises(ValueError, match="A launch is under way"):
        tests.start(_TEST)
    qtbot.waitUntil(lambda: tests.latest() is not None, timeout=LONG_MS)
    run = tests.latest()
    assert run is not None and is_range_test(run.spec) and run.node == LOCAL_NODE
    qtbot.waitUntil(lambda: run.is_ended, timeout=LONG_MS)
    assert (run.state, run.step, run.checkpoints, run.evaluations) == ("finished", _TEST.updates, (), ())
    steps, rates = run.series("learning_rate")
    factor = (_TEST.high / _TEST.low) ** (1 / (_TEST.updates - 1))
    assert list(steps) == list(range(1, _TEST.updates + 1))
    assert list(rates) == pytest.approx([_TEST.low * factor**number for number in range(_TEST.updates)], rel=1e-9)
    found = suggestion(list(rates), list(run.series("loss")[1]))
    assert found is not None and _TEST.low < found.steepest <= found.lowest <= _TEST.high
    assert draft.spec == before, "the open job's own rate and schedule stay"
    ready.choose_model("desktop", draft.spec.model.id + "-other")
    assert tests.latest() is None, "a test of another model says nothing about this one"
