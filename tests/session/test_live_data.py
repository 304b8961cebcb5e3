"""The open session with data: which job a report is of, and what becomes of questions when it is opened again."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.job_spec import JobSpec, with_value
from studio.background.tasks import Task, Tasks
from studio.remote.data_stream import DataStream, LookFailed, Reported, Told
from studio.remote.errors import AgentFailed, Cancelled, LinkError, RemoteError
from studio.session import live_data
from studio.session.live_data import CANCELLED, NOT_LOOKED_AT, LiveData
from tests.ui.page_session import data_report


class _Stream(DataStream):
    """A session without an agent: the test hands over what arrives and answers what is asked."""

    def __init__(self, cancelled: threading.Event) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.waiting: deque[tuple[Callable[[dict[str, Any]], None], Callable[[RemoteError], None]]] = deque()
        self.arrived: deque[Told | RemoteError | Callable[[], None]] = deque()
        self.over = False
        self.begun: list[Mapping[str, Any]] = []
        self._task_cancelled = cancelled
        self._changed = threading.Condition()

    @property
    def is_over(self) -> bool:
        return self.over

    def ask(self, what: str, arguments: Mapping[str, Any], on_answer: Any, on_failed: Any) -> None:
        self.asked.append((what, arguments))
        self.waiting.append((on_answer, on_failed))

    def begin(self, arguments: Mapping[str, Any]) -> None:
        self.begun.append(arguments)

    def put(self, told: Told | RemoteError | Callable[[], None]) -> None:
        with self._changed:
            self.arrived.append(told)
            self._changed.notify()

    def answer_next(self, value: dict[str, Any]) -> None:
        on_answer, _ = self.waiting.popleft()
        self.put(lambda: on_answer(value))

    def fail_next(self, sentence: str) -> None:
        _, on_failed = self.waiting.popleft()
        self.put(lambda: on_failed(AgentFailed(sentence, "failed")))

    def receive(self, timeout_s: float) -> list[Told]:
        with self._changed:
            self._changed.wait_for(lambda: self.arrived or self._task_cancelled.is_set(), 0.05)
            if self._task_cancelled.is_set():
                raise Cancelled("Cancelled.")
            if not self.arrived:
                return []
            told = self.arrived.popleft()
        if isinstance(told, RemoteError):
            raise told
        if isinstance(told, (Reported, LookFailed)):
            return [told]
        cast(Callable[[], None], told)()
        return []

    def finish(self) -> None:
        self.over = True
        for _, on_failed in self.waiting:
            on_failed(LinkError("over"))


class _Opened:
    """Opens streams and remembers them, each with the job that it was opened for."""

    def __init__(self) -> None:
        self.streams: list[_Stream] = []
        self.jobs: list[JobSpec] = []
        self.spares: list[_Stream] = []
        self.refusal: Exception | None = None

    def open_spare(self, task: Task) -> DataStream:
        self.spares.append(_Stream(task.cancelled))
        return self.spares[-1]

    def open(self, spec: JobSpec, task: Task) -> DataStream:
        if self.refusal is not None:
            raise self.refusal
        self.jobs.append(spec)
        self.streams.append(_Stream(task.cancelled))
        return self.streams[-1]


@pytest.fixture
def owner(qtbot: QtBot) -> Iterator[QObject]:
    owner = QObject()
    yield owner
    owner.deleteLater()


@pytest.fixture
def tasks(owner: QObject) -> Iterator[Tasks]:
    tasks = Tasks(owner)
    yield tasks
    tasks.close()


@pytest.fixture
def live(tasks: Tasks, owner: QObject) -> LiveData:
    return LiveData(tasks, owner)


@pytest.fixture
def opened() -> _Opened:
    return _Opened()


def _open(qtbot: QtBot, live: LiveData, opened: _Opened, key: object = "key", spec: JobSpec | None = None) -> _Stream:
    with qtbot.waitSignal(live.opened):
        live.show(key, spec or JobSpec(), opened.open, _naming, "")
    return opened.streams[-1]


def _report(complete: bool = True) -> DataReport:
    found = data_report(40)
    return found if complete else type(found)(**{**found.__dict__, "complete": False})


def _heard(live: LiveData) -> list[tuple[JobSpec, DataReport]]:
    heard: list[tuple[JobSpec, DataReport]] = []
    live.reported.connect(lambda spec, report: heard.append((spec, report)))
    return heard


def test_that_a_look_goes_on_until_a_complete_report_is_there(qtbot: QtBot, live: LiveData, opened: _Opened) -> None:
    stream = _open(qtbot, live, opened)
    for complete in (False, True):
        assert live.progress is not None
        with qtbot.waitSignal(live.reported):
            stream.put(Reported(0, _report(complete)))
    assert live.progress is None
    assert live.problem == ""


def test_that_a_report_of_an_earlier_job_is_passed_over(qtbot: QtBot, live: LiveData, opened: _Opened) -> None:
    stream = _open(qtbot, live, opened)
    heard = _heard(live)
    longer = with_value(JobSpec(), "data.max_length", 4096)
    live.show("key", longer, opened.open, _naming, "")
    assert [(what, arguments["version"]) for what, arguments in stream.asked] == [("job", 1)]
    assert stream.asked[0][1]["job"]["data"]["max_length"] == 4096
    stream.put(Reported(0, _report()))
    with qtbot.waitSignal(live.reported):
        stream.put(Reported(1, _report()))
    assert [spec for spec, _ in heard] == [longer]
    live.show("key", longer, opened.open, _naming, "")
    assert len(stream.asked) == 1
    assert len(opened.streams) == 1


def test_that_a_job_that_changes_while_the_session_opens_is_told_to_it(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    longer = with_value(JobSpec(), "data.max_length", 4096)
    with qtbot.waitSignal(live.opened):
        live.show("key", JobSpec(), opened.open, _naming, "")
        live.show("key", longer, opened.open, _naming, "")
    assert opened.jobs == [JobSpec()]
    assert [what for what, _ in opened.streams[0].asked] == ["job"]


def test_that_a_job_that_is_refused_is_the_problem_until_the_next(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    stream = _open(qtbot, live, opened)
    live.show("key", with_value(JobSpec(), "data.shape", "alpaca"), opened.open, _naming, "")
    stream.fail_next("No column is called instruction.")
    qtbot.waitUntil(lambda: live.problem == "No column is called instruction.")
    assert live.progress is None
    live.show("key", with_value(JobSpec(), "data.shape", "text"), opened.open, _naming, "")
    assert live.problem == ""
    assert live.progress is not None


def test_that_a_look_that_fails_midway_is_the_problem_and_the_session_stays(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    stream = _open(qtbot, live, opened)
    stream.put(LookFailed(AgentFailed("rows.json vanished.", "not_found")))
    qtbot.waitUntil(lambda: live.problem == "rows.json vanished.")
    assert live.is_open
    assert live.progress is None


def test_that_a_question_asked_before_the_session_is_open_waits_for_it(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    answers: list[Any] = []
    live.show("key", JobSpec(), opened.open, _naming, "")
    live.ask("row", {"index": 3}, lambda value: value["index"], answers.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(opened.streams) and bool(opened.streams[0].asked))
    opened.streams[0].answer_next({"index": 3})
    qtbot.waitUntil(lambda: answers == [3])


def test_that_open_questions_go_on_in_the_session_with_other_inputs(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    first = _open(qtbot, live, opened)
    answers: list[Any] = []
    live.ask("table", {"start": 0}, dict, answers.append, pytest.fail)
    second = _open(qtbot, live, opened, key="other")
    assert [what for what, _ in first.asked] == [what for what, _ in second.asked] == ["table"]
    second.answer_next({"start": 0})
    qtbot.waitUntil(lambda: answers == [{"start": 0}])


def test_that_a_lost_session_fails_its_questions_and_opens_again_when_it_is_asked(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    stream = _open(qtbot, live, opened)
    failures: list[str] = []
    failed: list[Exception] = []
    live.failed.connect(failed.append)
    live.ask("row", {"index": 1}, dict, pytest.fail, failures.append)
    stream.put(LinkError("The link broke."))
    qtbot.waitUntil(lambda: failures == ["The link broke."])
    assert live.problem == "The link broke."
    assert len(failed) == 1
    with qtbot.waitSignal(live.opened):
        live.ask("row", {"index": 2}, dict, pytest.fail, failures.append)
    assert live.problem == ""
    assert opened.streams[1].asked == [("row", {"index": 2})]
    assert failures == ["The link broke."]


def test_that_a_session_that_cannot_be_opened_is_told_and_does_not_try_by_itself(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    opened.refusal = ValueError("The data is not on this computer.")
    failures: list[str] = []
    with qtbot.waitSignal(live.failed):
        live.show("key", JobSpec(), opened.open, _naming, "")
        live.ask("row", {"index": 1}, dict, pytest.fail, failures.append)
    assert failures == [live.problem] == ["The data is not on this computer."]
    assert not live.is_open


def test_that_a_cancelled_look_answers_nothing_until_it_is_wanted_again(
    qtbot: QtBot, live: LiveData, opened: _Opened
) -> None:
    failures: list[str] = []
    _open(qtbot, live, opened)
    live.ask("row", {"index": 1}, dict, pytest.fail, failures.append)
    live.cancel()
    live.ask("row", {"index": 2}, dict, pytest.fail, failures.append)
    assert failures == [CANCELLED, CANCELLED]
    assert (live.problem, live.progress, live.is_open) == (CANCELLED, None, False)
    _open(qtbot, live, opened)
    assert live.problem == ""


def test_that_an_answer_that_cannot_be_read_is_a_failure(qtbot: QtBot, live: LiveData, opened: _Opened) -> None:
    stream = _open(qtbot, live, opened)
    failures: list[str] = []

    def read(value: dict[str, Any]) -> Any:
        raise AgentFailed("The agent's answer cannot be read.", "failed")

    live.ask("row", {"index": 1}, read, pytest.fail, failures.append)
    stream.answer_next({})
    qtbot.waitUntil(lambda: failures == ["The agent's answer cannot be read."])


def test_that_before_anything_was_looked_at_a_question_is_told_what_is_missing(live: LiveData) -> None:
    failures: list[str] = []
    live.ask("row", {"index": 1}, dict, pytest.fail, failures.append)
    assert failures == [NOT_LOOKED_AT]


def _naming(spec: JobSpec, task: Task) -> dict[str, Any]:
    return {"length": spec.data.max_length}


@pytest.fixture
def spare(qtbot: QtBot, live: LiveData, opened: _Opened) -> _Stream:
    """Return a session that waits."""
    live.keep_spares({"": opened.open_spare})
    _wait_for_spare(qtbot, live)
    return opened.spares[0]


def _wait_for_spare(qtbot: QtBot, live: LiveData) -> None:
    qtbot.waitUntil(lambda: bool(live._spares) and all(one.stream is not None for one in live._spares.values()))


def test_that_a_session_that_waits_takes_the_next_inputs_and_another_waits_then(
    qtbot: QtBot, live: LiveData, opened: _Opened, spare: _Stream
) -> None:
    assert not live.is_open and live.progress is None
    answers: list[Any] = []
    with qtbot.waitSignal(live.opened):
        live.show("key", JobSpec(), opened.open, _naming, "")
        live.ask("row", {"index": 3}, dict, answers.append, pytest.fail)
        live.show("key", with_value(JobSpec(), "data.max_length", 4096), opened.open, _naming, "")
        assert not spare.asked, "it has no inputs yet"
    assert spare.begun == [{"length": JobSpec().data.max_length}]
    assert [what for what, _ in spare.asked] == ["row", "job"]
    spare.answer_next({"index": 3})
    qtbot.waitUntil(lambda: answers == [{"index": 3}])
    with qtbot.waitSignal(live.reported):
        spare.put(Reported(1, _report()))
    assert not opened.streams
    _wait_for_spare(qtbot, live)
    with qtbot.waitSignal(live.opened):
        live.show("other", JobSpec(), opened.open, _naming, "")
    assert len(opened.spares) == 2 and opened.spares[1].begun
    qtbot.waitUntil(lambda: spare.over)


def test_that_inputs_of_another_machine_leave_the_session_that_waits_alone(
    qtbot: QtBot, live: LiveData, opened: _Opened, spare: _Stream
) -> None:
    with qtbot.waitSignal(live.opened):
        live.show("there", JobSpec(), opened.open, _naming, "node")
    live.close()
    assert not spare.begun and not spare.over
    with qtbot.waitSignal(live.opened):
        live.show("key", JobSpec(), opened.open, _naming, "")
    assert spare.begun


def test_that_a_session_waits_on_each_machine_and_another_at_once_when_the_first_rows_are_there(
    qtbot: QtBot, live: LiveData, opened: _Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.keep_spares({"": opened.open_spare, "node": opened.open_spare})
    qtbot.waitUntil(lambda: len(opened.spares) == 2)
    _wait_for_spare(qtbot, live)
    monkeypatch.setattr(live_data, "SPARE_AFTER_MS", 3_600_000)
    for place in ("node", ""):
        with qtbot.waitSignal(live.opened):
            live.show(place, JobSpec(), opened.open, _naming, place)
    assert all(one.begun for one in opened.spares) and not opened.streams
    here = next(one for one in opened.spares if live._open is not None and one is live._open.stream)
    with qtbot.waitSignal(live.reported):
        here.put(Reported(0, _report(complete=False)))
    qtbot.waitUntil(lambda: len(opened.spares) == 4)


def test_that_the_session_that_waits_moves_to_the_machine_of_the_data(
    qtbot: QtBot, live: LiveData, opened: _Opened, spare: _Stream
) -> None:
    live.keep_spares({"node": opened.open_spare})
    qtbot.waitUntil(lambda: spare.over)
    _wait_for_spare(qtbot, live)
    with qtbot.waitSignal(live.opened):
        live.show("there", JobSpec(), opened.open, _naming, "node")
    assert opened.spares[1].begun and not opened.streams


def test_that_a_session_that_was_lost_while_it_waited_is_no_failure(
    qtbot: QtBot, live: LiveData, opened: _Opened, spare: _Stream
) -> None:
    live.failed.connect(pytest.fail)
    spare.put(LinkError("The link broke."))
    qtbot.waitUntil(lambda: not live._spares)
    assert live.problem == ""
    with qtbot.waitSignal(live.opened):
        live.show("key", JobSpec(), opened.open, _naming, "")
    assert len(opened.streams) == 1


def test_that_inputs_that_cannot_be_named_are_the_problem_and_end_the_session(
    qtbot: QtBot, live: LiveData, opened: _Opened, spare: _Stream
) -> None:
    def refuse(spec: JobSpec, task: Task) -> dict[str, Any]:
        raise ValueError("The data is not on this computer.")

    failures: list[str] = []
    with qtbot.waitSignal(live.failed):
        live.show("key", JobSpec(), opened.open, refuse, "")
        live.ask("row", {"index": 1}, dict, pytest.fail, failures.append)
    assert failures == [live.problem] == ["The data is not on this computer."]
    assert not live.is_open and not spare.begun
    qtbot.waitUntil(lambda: spare.over)
