"""What can be told of a launch before anything is asked of the node: a line for each thing that has to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from remote_agent.contract.preflight import (
    ATTENTION,
    CLOCK,
    DISK,
    DRIVER,
    GOOD,
    GPUS,
    LIMITS,
    LOGOUT,
    MEMORY,
    PORTS,
    SHARED_MEMORY,
    TRACKERS,
    Finding,
    preflight,
    preflight_problems,
)
from remote_agent.contract.problems import ERROR, Problem, blocking
from studio.state.node import NEEDS_PERSON, PROBING, READY, UNREACHABLE
from studio.ui import words
from studio.ui.launch.checklist import DOING, DONE, FAILED, WAITING, WARNED, Check
from studio.ui.translation import told

if TYPE_CHECKING:
    from studio.session.session import Session


def checks(session: Session) -> list[Check]:
    """Return the lines in the order in which a person works them off."""
    return [*_inputs(session), *_node(session), *_preflight(session), _job(session)]


def problems_before_launch(session: Session) -> tuple[Problem, ...]:
    """Return what stands against the job, and what does not hold on the chosen node; errors first."""
    draft, node = session.draft, session.node
    found = list(draft.problems)
    if node is not None and node.link == READY:
        found += preflight_problems(draft.spec, draft.known)
    return tuple(sorted(found, key=lambda problem: problem.severity != ERROR))


def _preflight(session: Session) -> list[Check]:
    """Return a line for each thing that the probe tells; what is wrong with it stands among the problems."""
    node = session.node
    if node is None or node.link != READY:
        return []
    labels = {
        DRIVER: _tr("Driver, CUDA and torch fit together"),
        GPUS: _tr("The GPUs are free"),
        MEMORY: _tr("The host's memory is enough"),
        DISK: _tr("The disk takes the checkpoints"),
        SHARED_MEMORY: _tr("Shared memory is enough"),
        LIMITS: _tr("The limits of the account are enough"),
        PORTS: _tr("The processes can find each other"),
        CLOCK: _tr("The clocks agree"),
        LOGOUT: _tr("The run outlives the logout"),
        ATTENTION: _tr("The attention that the job asks for is there"),
        TRACKERS: _tr("The libraries of the trackers are there"),
    }

    def line(found: Finding) -> Check:
        if found.severity == ERROR:
            return Check(f"preflight_{found.key}", labels[found.key], FAILED, found.sentence)
        detail = "" if found.severity == GOOD else _tr("see the warning")
        return Check(f"preflight_{found.key}", labels[found.key], DONE if not detail else WARNED, detail)

    return [line(found) for found in preflight(session.draft.spec, session.draft.known)]


def _inputs(session: Session) -> list[Check]:
    """Return what is known of model and data; why a look failed stands with the first that is not known."""
    spec, known = session.draft.spec, session.draft.known
    unknown = _tr("not chosen yet")
    problem = session.inspection_problem
    bad_model = " ".join(told(each) for each in known.model.problems) if known.model is not None else ""
    lines = []
    for key, label, chosen, found, name, wrong in (
        ("model", _tr("The model has been looked at"), spec.model.id, known.model, session.model_name, bad_model),
        ("data", _tr("The data has been read"), spec.data.path, known.data, session.data_name, ""),
    ):
        state, detail = WAITING, name if chosen else unknown
        if not chosen:
            pass
        elif wrong:
            state, detail = FAILED, wrong
        elif found is not None:
            state = DONE
        elif session.inspection is not None:
            state = DOING
        elif problem:
            state, detail, problem = FAILED, told(problem), ""
        lines.append(Check(key, label, state, detail))
    return lines


def _node(session: Session) -> list[Check]:
    node = session.node
    answers, packages = _tr("The node answers"), _tr("The trainer's packages are there")
    if node is None:
        return [Check("node", answers, WAITING, _tr("not chosen yet")), Check("trainer", packages)]
    if node.link != READY:
        state = {PROBING: DOING, UNREACHABLE: FAILED, NEEDS_PERSON: FAILED}.get(node.link, WAITING)
        said = told(node.problem) if state == FAILED and node.problem else told(node.name)
        return [Check("node", answers, state, said), Check("trainer", packages)]
    reached = Check("node", answers, DONE, told(node.name))
    interpreter = node.report.interpreter if node.report is not None else None
    if interpreter is None:
        return [reached, Check("trainer", packages, FAILED, _tr("no Python with the trainer's packages was found"))]
    if interpreter.missing:
        said = _tr("missing there: {names}").format(names=", ".join(interpreter.missing))
        return [reached, Check("trainer", packages, FAILED, said)]
    return [reached, Check("trainer", packages, DONE)]


def _job(session: Session) -> Check:
    label, errors = _tr("The job can start"), blocking(list(problems_before_launch(session)))
    if errors:
        return Check("job", label, FAILED, words.counted(len(errors), _tr("{} problem"), _tr("{} problems")))
    return Check("job", label, DONE if can_start(session) else WAITING)


def can_start(session: Session) -> bool:
    """Say whether a launch may be begun: a node is there, and nothing is known to stand against the job."""
    stands = blocking(list(problems_before_launch(session)))
    return session.node is not None and not stands and not session.inspection_failed


def _tr(text: str) -> str:
    return QCoreApplication.translate("LaunchPage", text)
