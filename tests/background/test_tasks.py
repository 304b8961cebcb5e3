from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QThread
from pytestqt.qtbot import QtBot

from studio.background.tasks import Task, Tasks


def fail(answer: object) -> None:
    raise AssertionError(f"nothing was to come, {answer!r} came")


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def test_that_a_result_comes_back_on_the_gui_thread_after_its_progress(tasks: Tasks, qtbot: QtBot) -> None:
    owner, told, threads = QObject(), list[object](), set[object]()

    def work(task: Task) -> int:
        threads.add(threading.get_ident())
        for number in range(3):
            task.report(number)
        return 42

    def take(value: object) -> None:
        assert QThread.currentThread() is owner.thread()
        told.append(value)

    tasks.run(owner, work, take, fail, take)
    qtbot.waitUntil(lambda: 42 in told)
    assert told == [0, 1, 2, 42]
    assert threading.get_ident() not in threads


def test_that_an_error_comes_back_as_what_was_raised(tasks: Tasks, qtbot: QtBot) -> None:
    owner, errors = QObject(), list[Exception]()

    def work(task: Task) -> int:
        raise ValueError("the path is empty")

    tasks.run(owner, work, fail, errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert str(errors[0]) == "the path is empty"


def test_that_cancelling_reaches_the_work_and_its_answer_still_comes(tasks: Tasks, qtbot: QtBot) -> None:
    owner, answers = QObject(), list[str]()

    def work(task: Task) -> str:
        assert task.cancelled.wait(10)
        return "ended early"

    tasks.run(owner, work, answers.append, fail).cancel()
    qtbot.waitUntil(lambda: answers == ["ended early"])


def test_that_nothing_is_delivered_to_an_owner_that_is_gone(tasks: Tasks, qtbot: QtBot) -> None:
    owner, later, done, ended = QObject(), QObject(), list[str](), threading.Event()

    def work(task: Task) -> str:
        task.cancelled.wait(10)
        ended.set()
        return "late"

    tasks.run(owner, work, lambda _: done.append("late"), fail)
    owner.deleteLater()
    del owner
    qtbot.waitUntil(ended.is_set)
    tasks.run(later, lambda task: "next", done.append, fail)
    qtbot.waitUntil(lambda: "next" in done)
    assert done == ["next"]


def test_that_an_owner_lives_through_thousands_of_tasks_without_a_trace(tasks: Tasks, qtbot: QtBot) -> None:
    owner, done = QObject(), list[int]()
    for _ in range(500):
        tasks.run(owner, lambda task: 1, done.append, fail)
    qtbot.waitUntil(lambda: len(done) == 500)
    assert owner.receivers("2destroyed(QObject*)") <= 1


def test_that_closing_cancels_waits_and_delivers_nothing(qtbot: QtBot) -> None:
    tasks, owner, answers, ended = Tasks(), QObject(), list[object](), threading.Event()

    def work(task: Task) -> None:
        task.cancelled.wait(10)
        task.report("late")
        ended.set()

    tasks.run(owner, work, answers.append, answers.append, answers.append)
    tasks.close()
    assert ended.is_set()
    QCoreApplication.sendPostedEvents()
    QCoreApplication.processEvents()
    assert answers == []


def test_that_work_given_after_the_end_is_not_run_and_harms_nobody(qtbot: QtBot) -> None:
    tasks, ran = Tasks(), threading.Event()
    tasks.close()
    handle = tasks.run(tasks, lambda task: ran.set(), fail, fail)
    assert handle.task is not None and handle.task.cancelled.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("luthier-task")]
    assert not ran.is_set()
