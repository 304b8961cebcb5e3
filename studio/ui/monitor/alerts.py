"""The alerts of a run that are not over, a card each, worst first, with what can be done about it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from remote_agent.contract import alerts
from remote_agent.contract.events import AlertRaised
from studio.ui import words
from studio.ui.monitor.notice_card import notice_card, severity_word
from studio.ui.monitor.stacks_dialog import StacksDialog
from studio.ui.pieces import button, clear_layout
from studio.ui.translation import told

SHOWN = 3
_ROWS_SHOWN = 4
_ORDER = (alerts.ERROR, alerts.WARNING, alerts.INFO)


def alert_title(rule: str) -> str:
    """Return what an alert is called."""

    def translated(text: str) -> str:
        return QCoreApplication.translate("alerts", text)

    titles = {
        alerts.NONFINITE_LOSS: translated("Loss is no number"),
        alerts.NONFINITE_GRADIENT: translated("Gradient is no number"),
        alerts.LOSS_RISE: translated("Loss rises"),
        alerts.GRADIENT_SPIKE: translated("Gradient spike"),
        alerts.OVERFITTING: translated("Held-out loss rises"),
        alerts.STALL: translated("Stalled"),
        alerts.THROUGHPUT_DROP: translated("Throughput drops"),
        alerts.LR_PLAN: translated("Learning rate unlike the plan"),
        alerts.GPU_HOT: translated("GPU too hot"),
        alerts.GPU_SLOWED: translated("GPU throttles"),
        alerts.GPU_MEMORY: translated("GPU memory full"),
        alerts.HOST_MEMORY: translated("Memory full"),
        alerts.DISK: translated("Disk fills"),
        alerts.SLOW_RANK: translated("Slow rank"),
        alerts.RUN_ENDED: translated("Run ended"),
    }
    return titles.get(rule, rule)


class Alerts(QWidget):
    """The worst alerts that nobody put away; ``action_wanted`` carries one of `contract.alerts`' actions and
    the alert."""

    action_wanted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("alerts")
        self._put_away: set[AlertRaised] = set()
        self._shown: tuple[object, ...] = ()
        self._all: Sequence[AlertRaised] = ()
        self._stacks: tuple[str, ...] = ()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        self.hide()

    def start_over(self) -> None:
        """Forget which were put away: another run is shown."""
        self._put_away.clear()
        self.show_alerts(())

    def show_alerts(self, raised: Sequence[AlertRaised], stacks: Sequence[str] = ()) -> None:
        """Show a run's open alerts, given in the order they came; that the run ended says its state line.

        ``stacks`` say where each rank stood when it stalled.
        """
        self._all, self._stacks = raised, tuple(stacks)
        waiting = [one for one in raised if one.rule != alerts.RUN_ENDED and one not in self._put_away]
        waiting.sort(key=lambda one: (_ORDER.index(one.severity) if one.severity in _ORDER else 9, -one.since_s))
        shown = (*waiting[:SHOWN], max(0, len(waiting) - SHOWN), self._stacks)
        if shown != self._shown:
            self._shown = shown
            clear_layout(self._rows)
            for number, alert in enumerate(waiting[:SHOWN], 1):
                self._rows.addWidget(self._card(alert, len(waiting) - SHOWN if number == SHOWN else 0))
        self.setVisible(bool(waiting))

    def _card(self, alert: AlertRaised, more: int) -> QFrame:
        since = self.tr("since step {step}, {clock}").format(
            step=words.whole(alert.step), clock=time.strftime("%H:%M", time.localtime(alert.since_s))
        )
        captions = [since]
        if alert.rows:
            first = ", ".join(words.whole(row + 1) for row in alert.rows[:_ROWS_SHOWN])
            more_rows = len(alert.rows) - _ROWS_SHOWN
            told_rows = self.tr("rows {rows} and {count} more") if more_rows > 0 else self.tr("rows {rows}")
            captions.append(told_rows.format(rows=first, count=more_rows))
        if more > 0:
            captions.append(self.tr("and {count} more").format(count=more))
        name = f"alert_{alert.rule}_{alert.rank}"
        buttons = [self._action(alert, action) for action in alerts.ACTIONS.get(alert.rule, ())]
        if alert.rule == alerts.STALL and self._stacks:
            buttons.append(self._stacks_button(name))
        ignore = button(self.tr("Ignore"), f"{name}_ignore", self.tr("Put this alert away until it comes again"))
        ignore.clicked.connect(lambda: self._ignore(alert))
        title = f"{severity_word(alert.severity)} · {alert_title(alert.rule)}"
        shown = [one for one in buttons if one is not None]
        return notice_card(name, alert.severity, told(alert.sentence), captions, [*shown, ignore], title)

    def _action(self, alert: AlertRaised, action: str) -> QPushButton | None:
        texts = {
            alerts.STOP: self.tr("Stop…"),
            alerts.SAVE: self.tr("Save now"),
            alerts.ROLL_BACK: self.tr("Go back, lower rate"),
            alerts.SKIP: self.tr("Go back, skip its rows"),
        }
        if action in (alerts.ROLL_BACK, alerts.SKIP) and not alert.step:
            return None
        if action not in texts:
            return None
        made = button(texts[action], f"alert_{alert.rule}_{alert.rank}_{action}")
        made.clicked.connect(lambda: self.action_wanted.emit(action, alert))
        return made

    def _stacks_button(self, name: str) -> QPushButton:
        made = button(self.tr("Where the ranks stand…"), f"{name}_stacks")
        made.clicked.connect(lambda: StacksDialog(self._stacks, self).open())
        return made

    def _ignore(self, alert: AlertRaised) -> None:
        self._put_away.add(alert)
        self.show_alerts(self._all, self._stacks)
