"""Stands for a rank of the trainer: real journal lines, real obedience, and the failures that a plan names."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).absolute().parents[2]))

from remote_agent.contract.events import (
    Amended,
    CheckpointCommitted,
    CommandDone,
    CommandRefused,
    StepCompleted,
    TrainingEnded,
    TrainingStarted,
)
from remote_agent.run_files.inbox import list_commands, remove_command
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.manifest import commit
from remote_agent.trainer.stacks_on_request import answer_requests


class Rank:
    def __init__(self, run_dir: Path, attempt: int, resume: str) -> None:
        self.rank = int(os.environ["RANK"])
        self.run_dir = run_dir
        self.attempt = attempt
        self.first_step = int(resume.partition("-")[2] or 0)
        log = os.open(run_dir / "log" / f"rank{self.rank}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        self.plan = json.loads((run_dir / "launch.json").read_text())["bundle"]
        if attempt > self.plan.get("die_attempts", 99):
            self.plan.pop("die_rank", None)
        if self.rank == 0:
            (run_dir / "over").unlink(missing_ok=True)
        self.stopped = False
        answer_requests(run_dir, self.rank)

    def train(self) -> int:
        steps = self.plan.get("steps", 3)
        if self.plan.get("ignore_term"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(f"rank {self.rank} begins", flush=True)
        self.print_secrets()
        while not (self.run_dir / "go").exists() and self.plan.get("wait_to_begin"):
            time.sleep(0.01)
        journal = JournalWriter(str(self.run_dir / "journal"), "rank0", self.run_dir.name, time.time)
        if self.rank == 0:
            journal.write(TrainingStarted(self.attempt, self.first_step, steps, steps, 2, 1000, 10, 2))
        done = self.first_step
        while done < steps and not self.stopped:
            done += 1
            if done == self.plan.get("hold_at"):
                self.hold()
            self.die_where_planned(done)
            if self.rank == 0:
                if self.gives_up(journal, done):
                    return 0
                journal.write(step(self.attempt, done))
                self.save(journal, done)
                self.obey(journal, done)
            # the real ranks leave together; here the others wait to be told by the file of the end
            time.sleep(self.plan.get("step_s", 0.01))
        if self.plan.get("die_at_end") and "die_rank" in self.plan:
            self.die()
        if self.rank == 0:
            journal.write(TrainingEnded(self.attempt, done, done == steps))
            (self.run_dir / "over").touch()
        journal.close()
        return int(self.plan.get("exit_code", 0))

    def hold(self) -> None:
        """Wait until the test says go; ``held`` of the plan is a file that tells it where this rank has come."""
        if "held" in self.plan:
            Path(self.plan["held"]).touch()
        while not (self.run_dir / "go").exists():
            time.sleep(0.01)

    def print_secrets(self) -> None:
        """Print what the plan names of the environment: as it is, in two pieces, and encoded."""
        for name in self.plan.get("tell", ()):
            print(f"{name}={os.environ.get(name)}", flush=True)
        for name in self.plan.get("prints", []):
            secret = os.environ[name].encode()
            os.write(1, secret + b" and in pieces " + secret[:5])
            time.sleep(0.12)
            forms = base64.b64encode(secret), quote(secret, safe="").encode()
            os.write(2, secret[5:] + b" or " + b" ".join(forms) + b"\n")

    def gives_up(self, journal: JournalWriter, done: int) -> bool:
        """End where the plan says that the loss is no number."""
        if done != self.plan.get("nan_at") or self.attempt > self.plan.get("nan_attempts", 1):
            return False
        journal.write(step(self.attempt, done, float("nan")))
        journal.write(TrainingEnded(self.attempt, done, False, f"The loss is nan at step {done}.", "nonfinite"))
        (self.run_dir / "over").touch()
        return True

    def follow(self) -> int:
        done = 0
        print(f"rank {self.rank} begins", flush=True)
        while not (self.run_dir / "over").exists():
            done += 1
            self.die_where_planned(done)
            time.sleep(0.01)
        return 0

    def die_where_planned(self, done: int) -> None:
        if self.plan.get("die_rank") == self.rank and done == self.plan["die_step"]:
            print("a last word", flush=True)
            self.die()

    def die(self) -> None:
        if "cage" in self.plan:
            Path(self.plan["cage"], "cgroup.procs").write_text(str(os.getpid()))
            self.eaten = bytearray(os.urandom(1 << 20)) * 256
        if "die_code" in self.plan:
            sys.exit(int(self.plan["die_code"]))
        os.kill(os.getpid(), self.plan.get("die_signal", signal.SIGKILL))

    def save(self, journal: JournalWriter, done: int) -> None:
        """Commit weights, or the full state, every so many steps as the plan says."""
        has_state = done % self.plan.get("state_every", 1 << 30) == 0
        if not has_state and done % self.plan.get("weights_every", 1 << 30):
            return
        partial = self.run_dir / "checkpoints" / f".step-{done}.partial"
        partial.mkdir(parents=True)
        (partial / "model.safetensors").write_text(f"attempt {self.attempt} step {done}")
        final = self.run_dir / "checkpoints" / f"step-{done}"
        world_size = int(self.plan.get("saved_by", os.environ["WORLD_SIZE"]))
        size = commit(str(partial), str(final), done, has_state, world_size).size_bytes
        journal.write(CheckpointCommitted(self.attempt, done, final.name, has_state, size, 0.0))

    def obey(self, journal: JournalWriter, done: int) -> None:
        if self.plan.get("ignore_stop"):
            return
        for command in list_commands(str(self.run_dir / "control"))[0]:
            if command.verb == "pause" and self.plan.get("no_room"):
                journal.write(CommandRefused(command.command_id, command.verb, "The disk is full."))
                remove_command(str(self.run_dir / "control"), command.command_id)
                continue
            if command.verb == "amend":
                asked = command.arguments
                journal.write(Amended(self.attempt, done, asked["field"], asked["value"]))
            if command.verb == "pause":
                self.plan["state_every"] = 1
                self.save(journal, done)
            self.stopped = self.stopped or command.verb in ("stop", "pause")
            journal.write(CommandDone(command.command_id, command.verb, done))
            remove_command(str(self.run_dir / "control"), command.command_id)


def step(attempt: int, number: int, loss: float = 2.5) -> StepCompleted:
    return StepCompleted(attempt, number, loss, 1e-4, 1.0, 512, 300, 900.0, 0.5, 1 << 20, number / 10)


def main() -> int:
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    rank = Rank(Path(arguments["--run-dir"]), int(arguments["--attempt"]), arguments.get("--resume", ""))
    if rank.rank == 0:
        return rank.train()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if rank.plan.get("ignore_term") else signal.SIG_DFL)
    return rank.follow()


if __name__ == "__main__":
    sys.exit(main())
