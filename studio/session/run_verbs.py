"""What a person does with a run that goes on: each is a request, and the run's journal says what became of it."""

from __future__ import annotations

from PySide6.QtCore import Signal

from remote_agent.contract.amendments import EVALUATE_EVERY, LEARNING_RATE, MAX_STEPS
from studio.background.tasks import Task
from studio.session.alert_channels import ChannelsError, parse_channels, secrets_of
from studio.session.library_verbs import LibraryVerbs
from studio.session.nodes import sentence_of
from studio.session.reach import LOCAL_NODE
from studio.state.hosts import Hosts


class RunVerbs(LibraryVerbs):
    """The verbs about runs on their nodes. Its `Session` sets the attributes."""

    test_message_sent = Signal(str, object, str)  # node; {channel: what went wrong, or ""}; why nothing was sent
    alert_raised = Signal(str, object)  # run id, AlertRaised: as it comes, not what is read back

    hosts: Hosts

    def send_test_message(self, text: str) -> str:
        """Have the chosen node, or this computer, send a message to the channels of a text as an alert would be sent.

        ``test_message_sent`` follows. Returns what is wrong with the text in a sentence, empty where nothing is.
        """
        try:
            secrets = secrets_of(parse_channels(text))
        except ChannelsError as error:
            return str(error)
        if not secrets:
            return "There is no channel yet; write one line for each."
        node = self.node_name if self.node_name in self.hosts else LOCAL_NODE
        agent = self._reach.agent(self._nodes.address(node))

        def work(task: Task) -> dict[str, str]:
            return agent.tell(secrets, cancelled=task.cancelled)

        def on_error(error: Exception) -> None:
            self.test_message_sent.emit(node, {}, sentence_of(error))

        self.tasks.run(self, work, lambda problems: self.test_message_sent.emit(node, problems, ""), on_error)
        return ""

    def stop_run(self, run_id: str, save: bool = True) -> None:
        """Ask a run to stop after the update it is in, with a checkpoint if asked."""
        self._runs.command(run_id, "stop", {"save": save})

    def pause_run(self, run_id: str) -> None:
        """Ask a run to save its full state and free its GPUs until it is resumed."""
        self._runs.command(run_id, "pause", {})

    def resume_run(self, run_id: str, ranks: int = 0, zero_stage: int | None = None) -> None:
        """Let a run that is paused, or has ended without being complete, go on from its last full state.

        0 ``ranks`` and no ``zero_stage`` leave them as they are; with others the global batch stays.
        """
        self._runs.resume(run_id, ranks, zero_stage)

    def save_now(self, run_id: str) -> None:
        """Ask a run for a checkpoint with everything a resume needs."""
        self._runs.command(run_id, "save", {})

    def evaluate_now(self, run_id: str) -> None:
        """Ask a run for its held-out loss."""
        self._runs.command(run_id, "evaluate", {})

    def sample_now(self, run_id: str) -> None:
        """Ask a run to answer its sample prompts."""
        self._runs.command(run_id, "sample", {})

    def extend_run(self, run_id: str, steps: int) -> None:
        """Let a run end after so many updates."""
        self._runs.command(run_id, "amend", {"field": MAX_STEPS, "value": steps})

    def change_rate(self, run_id: str, peak: float) -> None:
        """Give a run another peak learning rate from its next update on; the schedule's shape stays."""
        self._runs.command(run_id, "amend", {"field": LEARNING_RATE, "value": peak})

    def change_evaluation(self, run_id: str, every_steps: int) -> None:
        """Let a run evaluate every so many updates from now on, 0 for not at all."""
        self._runs.command(run_id, "amend", {"field": EVALUATE_EVERY, "value": every_steps})

    def roll_back(self, run_id: str, step: int, skip: bool) -> None:
        """Take a run back to its last full state before an update: without that update's rows, or at a lower rate."""
        self._runs.command(run_id, "roll_back", {"step": step, "skip": skip})
