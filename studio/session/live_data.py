"""The open session with the draft's data: told of every change of the job, asked for rows, opened again when wanted.

Beside it others wait without inputs, everything imported, for what a person chooses next: one a machine.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from studio.background.tasks import Task, TaskHandle, Tasks
from studio.remote.errors import Cancelled, RemoteError
from studio.session.nodes import sentence_of

if TYPE_CHECKING:
    from studio.remote.call import Progress
    from studio.remote.data_stream import DataStream, Reported, Told

_WAIT_S = 1.0
SPARE_AFTER_MS, SPARE_AFTER_REPORT_MS = 1000, 100
"""How long after a look began a session is made ready for the next: the window's first paint and first rows come first.
Where the first report is there sooner, it is so long after that.
"""

CANCELLED = "Cancelled."
NOT_LOOKED_AT = "The rows show as soon as a model is chosen and has been looked at."

Opener = Callable[[JobSpec, Task], "DataStream"]
SpareOpener = Callable[[Task], "DataStream"]
Naming = Callable[[JobSpec, Task], dict[str, Any]]
"""Returns what `DataStream.begin` tells a session that waits, on a thread of the pool."""

Read = Callable[[dict[str, Any]], Any]
OnAnswer = Callable[[Any], None]
OnFailed = Callable[[str], None]


class _Question(NamedTuple):
    what: str
    arguments: Mapping[str, Any]
    read: Read
    on_answer: OnAnswer
    on_failed: OnFailed


class _Wanted(NamedTuple):
    """What a session is opened for: ``key`` says which inputs, ``opener`` how, on a thread of the pool.

    ``naming``: what tells the inputs to a session that waits on the machine ``place``.
    """

    key: object
    spec: JobSpec
    opener: Opener
    naming: Naming
    place: str


@dataclasses.dataclass
class _Open:
    """A session that is being opened or open. ``version`` counts the jobs it was told, from 0.

    ``naming``: what has yet to tell it its inputs. ``is_begun``: it has them, and may be asked. ``place``: the machine
    where one without inputs waits.
    """

    key: object
    spec: JobSpec
    naming: Naming | None = None
    version: int = 0
    handle: TaskHandle | None = None
    task: Task | None = None
    stream: DataStream | None = None
    is_begun: bool = False
    place: str = ""


class LiveData(QObject):
    """Keeps one session with the data. Everything here happens on the GUI thread but the talk itself.

    ``changed`` follows progress and problem; ``opened`` an opened session; ``reported`` carries (JobSpec, DataReport),
    partial ones too; ``failed`` the error that ended a session.

    Attributes:
        progress: what is being looked at, None where nothing is.
        problem: why the last look failed, a sentence; empty where it did not.
    """

    changed = Signal()
    opened = Signal()
    reported = Signal(object, object)
    failed = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self.progress: Progress | None = None
        self.problem = ""
        self._tasks = tasks
        self._wanted: _Wanted | None = None
        self._open: _Open | None = None
        self._spares: dict[str, _Open] = {}
        self._spare_openers: dict[str, SpareOpener] = {}
        self._spare_timer = QTimer(self, singleShot=True)
        self._spare_timer.timeout.connect(self._open_spares)
        self._numbers = itertools.count()
        self._questions: dict[int, _Question] = {}
        self._is_cancelled = False

    @property
    def is_open(self) -> bool:
        """Say whether a session is open or being opened."""
        return self._open is not None

    def keep_spares(self, openers: Mapping[str, SpareOpener]) -> None:
        """Have a session without inputs wait on each of some machines from a moment from now on, and on no other.

        They end with this object's tasks.
        """
        self._spare_openers = dict(openers)
        for place in self._spares.keys() - self._spare_openers.keys():
            handle = self._spares.pop(place).handle
            if handle is not None:
                handle.cancel()
        self._spare_timer.start(SPARE_AFTER_MS)

    def show(self, key: object, spec: JobSpec, opener: Opener, naming: Naming, place: str) -> None:
        """Look at the data of a job: in the open session where it is of the same inputs, else in a new one.

        Questions that are still open go on in the new one. ``naming`` lets it be the one that waits on the machine.
        """
        self._wanted, self._is_cancelled = _Wanted(key, spec, opener, naming, place), False
        if self._open is not None and self._open.key == key:
            self._tell_job(self._open, spec)
            return
        self._let_go()
        self._begin(self._wanted)

    def ask(
        self, what: str, arguments: Mapping[str, Any], read: Read, on_answer: OnAnswer, on_failed: OnFailed
    ) -> None:
        """Ask the session; exactly one of the last two is called, with a value or a sentence.

        A session that was lost is opened again for it. ``read`` makes the value of the answer, on the thread that
        receives, and may raise RemoteError.
        """
        if self._open is None and (self._wanted is None or self._is_cancelled):
            on_failed(CANCELLED if self._is_cancelled else self.problem or NOT_LOOKED_AT)
            return
        number = next(self._numbers)
        self._questions[number] = _Question(what, arguments, read, on_answer, on_failed)
        if self._open is None:
            assert self._wanted is not None
            self._begin(self._wanted)
        elif self._open.is_begun:
            self._put(self._open, number)

    def cancel(self) -> None:
        """End the look at a person's wish; nothing is opened again before the next `show`."""
        self._is_cancelled = True
        self._let_go()
        self._fail_questions(CANCELLED)
        self.problem = CANCELLED
        self.changed.emit()

    def close(self) -> None:
        """End the session because there is nothing to look at any more."""
        self._wanted = None
        self.problem = ""
        self._let_go()
        self._fail_questions(NOT_LOOKED_AT)

    def _begin(self, wanted: _Wanted) -> None:
        from studio.remote.call import Progress  # brings what talks along, which the first paint does not wait for

        self.problem, self.progress = "", Progress("data", 0.0, 0.0)
        spare = self._spares.pop(wanted.place, None)
        if spare is None:
            self._open = _Open(wanted.key, wanted.spec)
            self._run(self._open, lambda task: wanted.opener(wanted.spec, task))
        else:
            self._open = spare
            spare.key, spare.spec, spare.naming = wanted.key, wanted.spec, wanted.naming
            if spare.stream is not None:
                self._name_inputs(spare)
        if self._spare_openers:
            self._spare_timer.start(SPARE_AFTER_MS)
        self.changed.emit()

    def _open_spares(self) -> None:
        for place, opener in self._spare_openers.items():
            if place not in self._spares:
                self._spares[place] = _Open(None, JobSpec(), place=place)
                self._run(self._spares[place], opener)

    def _run(self, opened: _Open, opener: SpareOpener) -> None:
        """Open a session and receive from it to its end, on a thread of the pool."""

        def work(task: Task) -> None:
            opened.task = task
            stream = opener(task)
            task.report(stream)
            try:
                while True:
                    for told in stream.receive(_WAIT_S):
                        task.report(told)
            finally:
                stream.finish()

        opened.handle = self._tasks.run(
            self,
            work,
            lambda _: None,
            lambda error: self._on_over(opened, error),
            lambda told: self._on_told(opened, told),
        )

    def _name_inputs(self, opened: _Open) -> None:
        """Tell a session that waits its inputs; where they cannot be named it is of no use."""
        naming, spec = opened.naming, opened.spec
        assert naming is not None

        def on_named(arguments: dict[str, Any]) -> None:
            if opened is self._open and opened.stream is not None:
                opened.stream.begin(arguments)
                self._on_opened(opened)

        def on_error(error: Exception) -> None:
            if opened.handle is not None:
                opened.handle.cancel()
            self._on_over(opened, error)

        opened.naming = None
        self._tasks.run(self, lambda task: naming(spec, task), on_named, on_error)

    def _on_opened(self, opened: _Open) -> None:
        """Ask a session that has its inputs what was asked meanwhile."""
        opened.is_begun = True
        for number in tuple(self._questions):
            self._put(opened, number)
        self._tell_job(opened, self._wanted.spec if self._wanted is not None else opened.spec)
        self.opened.emit()

    def _on_told(self, opened: _Open, told: DataStream | Told | Callable[[], None]) -> None:
        from studio.remote.call import Progress
        from studio.remote.data_stream import DataStream, LookFailed, Reported

        if isinstance(told, DataStream):
            opened.stream = told
        if opened is not self._open:
            return
        match told:
            case Reported():
                self._on_reported(opened, told)
            case LookFailed():
                self.progress, self.problem = None, told.error.sentence
                self.changed.emit()
            case Progress():
                if self.progress is not None:
                    self.progress = told
                    self.changed.emit()
            case DataStream():
                if opened.naming is not None:
                    self._name_inputs(opened)
                else:
                    self._on_opened(opened)
            case _:
                told()

    def _on_reported(self, opened: _Open, told: Reported) -> None:
        if told.version != opened.version:
            return  # of a job that has changed since; its successor's report is on its way
        if told.report.complete:
            self.progress = None
        if self._spare_timer.remainingTime() > SPARE_AFTER_REPORT_MS:
            self._spare_timer.start(SPARE_AFTER_REPORT_MS)
        self.problem = ""
        self.reported.emit(opened.spec, told.report)
        self.changed.emit()

    def _tell_job(self, opened: _Open, spec: JobSpec) -> None:
        """Let an open session know of another job; one that is being opened is told when it is."""
        from studio.remote.call import Progress

        if not opened.is_begun or spec == opened.spec:
            return
        opened.spec, opened.version = spec, opened.version + 1
        self.problem, self.progress = "", self.progress or Progress("data", 0.0, 0.0)
        version = opened.version
        self.changed.emit()
        self._send(
            opened,
            "job",
            {"job": spec_to_dict(spec), "version": version},
            dict,
            lambda _: None,
            lambda sentence: self._on_job_refused(opened, version, sentence),
        )

    def _on_job_refused(self, opened: _Open, version: int, sentence: str) -> None:
        if opened is self._open and version == opened.version:
            self.progress, self.problem = None, sentence
            self.changed.emit()

    def _put(self, opened: _Open, number: int) -> None:
        question = self._questions[number]

        def on_answer(value: Any) -> None:
            if self._questions.pop(number, None) is not None:
                question.on_answer(value)

        def on_failed(sentence: str) -> None:
            if self._questions.pop(number, None) is not None:
                question.on_failed(sentence)

        self._send(opened, question.what, question.arguments, question.read, on_answer, on_failed)

    def _send(
        self,
        opened: _Open,
        what: str,
        arguments: Mapping[str, Any],
        read: Read,
        on_answer: OnAnswer,
        on_failed: OnFailed,
    ) -> None:
        """Put a question to the session. Its callbacks run on the thread that receives and are handed over here.

        Where the session has just ended they come to nothing, and `_on_over` tells every question that is left.
        """
        assert opened.stream is not None and opened.task is not None
        stream, report = opened.stream, opened.task.report

        def answered(value: dict[str, Any]) -> None:
            try:
                found = read(value)
            except RemoteError as error:
                failed(error)
            else:
                report(lambda: on_answer(found))

        def failed(error: RemoteError) -> None:
            if not stream.is_over:
                report(lambda: on_failed(error.sentence))

        stream.ask(what, arguments, answered, failed)

    def _on_over(self, opened: _Open, error: Exception) -> None:
        if opened is self._spares.get(opened.place):
            del self._spares[opened.place]  # nobody waits for it; the next one is tried beside the next session
        if opened is not self._open:
            return
        self._open, self.progress = None, None
        self.problem = CANCELLED if isinstance(error, Cancelled) else sentence_of(error)
        self._fail_questions(self.problem)
        self.changed.emit()
        if not isinstance(error, Cancelled):
            self.failed.emit(error)

    def _fail_questions(self, sentence: str) -> None:
        questions, self._questions = tuple(self._questions.values()), {}
        for question in questions:
            question.on_failed(sentence)

    def _let_go(self) -> None:
        opened, self._open, self.progress = self._open, None, None
        if opened is not None and opened.handle is not None:
            opened.handle.cancel()
