"""Memory measured on the real local node: a probe through the launch path, what it corrects, and torch's own count."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.memory_probe import UPDATES, is_memory_probe
from studio.session.reach import LOCAL_NODE
from studio.session.session import Session
from studio.state.measured_run import MeasuredRun
from tests.session.conftest import LONG_MS


def _correcting(session: Session) -> MeasuredRun | None:
    return session.memory.outlook.corrected_by


@pytest.mark.slow
def test_that_a_probe_runs_through_the_launch_path_is_kept_and_corrects_until_it_is_taken_back(
    ready: Session, qtbot: QtBot
) -> None:
    session = ready
    memory, draft = session.memory, session.draft
    before = memory.outlook.figures
    assert before is not None and _correcting(session) is None
    memory.start_probe()
    with pytest.raises(ValueError, match="under way"):
        memory.start_probe()
    qtbot.waitUntil(lambda: _correcting(session) is not None, timeout=LONG_MS)
    run = _correcting(session)
    assert run is not None and run.probe and run.node == LOCAL_NODE
    state = memory.probe_run()
    assert state is not None and is_memory_probe(state.spec) and "memory probe" in state.name
    qtbot.waitUntil(lambda: state.is_ended, timeout=LONG_MS)
    assert (state.state, state.step, state.checkpoints) == ("finished", UPDATES, ())
    assert run.predicted["peak"] == before.peak_bytes
    parameters = before.parameters
    assert run.measured["weights"] == pytest.approx(4 * parameters, rel=0.1)
    assert run.measured["optimizer"] >= 8 * parameters
    assert sum(run.measured[term] for term in ("weights", "gradients", "optimizer", "process")) < run.measured["peak"]
    after = memory.outlook.figures
    assert after is not None and after.peak_bytes == pytest.approx(run.measured["peak"], rel=0.01)
    session._writing.finish()
    assert [row.run_id for row in session._store.peaks()] == [run.run_id]
    memory.peaks.fill(())
    memory.fill()
    assert _correcting(session) is not None, "it is read back from the library"
    memory.drop_correction()
    assert _correcting(session) is None
    assert memory.outlook.figures == before
    memory.fill()
    session._writing.finish()
    assert not session._store.peaks()[0].corrects
    assert draft.spec != JobSpec() and not is_memory_probe(draft.spec)


@pytest.mark.slow
def test_that_a_trace_counts_the_model_on_the_node_and_is_forgotten_with_the_recipe(
    session: Session, ready: Session, qtbot: QtBot
) -> None:
    memory = session.memory
    memory.take_trace()
    memory.cancel_trace()
    qtbot.waitUntil(lambda: not memory.is_tracing, timeout=LONG_MS)
    assert not memory.trace and memory.trace_problem == ""
    memory.take_trace()
    qtbot.waitUntil(lambda: not memory.is_tracing, timeout=LONG_MS)
    found, figures = memory.trace, memory.outlook.figures
    assert found is not None and figures is not None, memory.trace_problem
    assert found.parameters == figures.parameters and found.peak > 12 * found.parameters
    session.draft.set_value("batch.micro_batch", 3)
    assert not memory.trace, "what was counted is of another recipe"


def test_that_nothing_is_traced_where_no_node_is_chosen(session: Session) -> None:
    with pytest.raises(ValueError, match="No node is chosen"):
        session.memory.take_trace()
