"""Stands for a rank of the trainer: real journal lines, real obedience, and the failures that a plan names."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[2]))

from remote_agent.contract.events import (
    CheckpointCommitted,
    CommandDone,
    StepCompleted,
    TrainingEnded,
    TrainingStarted,
)
from remote_agent.run_files.inbox import list_commands, remove_command
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.manifest import commit


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

    def train(self) -> int:
        steps = self.plan.get("steps", 3)
        if self.plan.get("ignore_term"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(f"rank {self.rank} begins", flush=True)
        while not (self.run_dir / "go").exists() and self.plan.get("wait_to_begin"):
            time.sleep(0.01)
        journal = JournalWriter(str(self.run_dir / "journal"), "rank0", self.run_dir.name, time.time)
        if self.rank == 0:
            journal.write(TrainingStarted(self.attempt, self.first_step, steps, steps, 2, 1000, 10, 2))
        done = self.first_step
        while done < steps and not self.stopped:
            done += 1
            while done == self.plan.get("hold_at") and not (self.run_dir / "go").exists():
                time.sleep(0.01)
            if self.plan.get("die_rank") == self.rank and done == self.plan["die_step"]:
                print("a last word", flush=True)
                self.die()
            if self.rank == 0:
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

    def follow(self) -> int:
        done = 0
        print(f"rank {self.rank} begins", flush=True)
        while not (self.run_dir / "over").exists():
            done += 1
            if self.plan.get("die_rank") == self.rank and done == self.plan["die_step"]:
                print("a last word", flush=True)
                self.die()
            time.sleep(0.01)
        return 0

    def die(self) -> None:
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
            self.stopped = self.stopped or command.verb == "stop"
            journal.write(CommandDone(command.command_id, command.verb, done))
            remove_command(str(self.run_dir / "control"), command.command_id)


def step(attempt: int, number: int) -> StepCompleted:
    return StepCompleted(attempt, number, 2.5, 1e-4, 1.0, 512, 300, 900.0, 0.5, 1 << 20, number / 10)


def main() -> int:
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    rank = Rank(Path(arguments["--run-dir"]), int(arguments["--attempt"]), arguments.get("--resume", ""))
    if rank.rank == 0:
        return rank.train()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if rank.plan.get("ignore_term") else signal.SIG_DFL)
    return rank.follow()


if __name__ == "__main__":
    sys.exit(main())
