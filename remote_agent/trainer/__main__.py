"""One rank of a run, started by torch.distributed.run: sends its output to its log, then trains."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

AGENT_DIR = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run one rank and return its exit code: 0 where the run ended as asked, 1 where it failed."""
    parser = argparse.ArgumentParser(prog="trainer", description="One rank of a fine-tuning run.")
    parser.add_argument("--run-dir", required=True, help="the run directory")
    parser.add_argument("--attempt", type=int, required=True, help="counts the starts of the ranks, from 1")
    parser.add_argument("--resume", default="", help="the committed checkpoint to go on from, such as step-40")
    parser.add_argument("--shape", default="", metavar="RANKS,STAGE", help="ranks and ZeRO stage other than the job's")
    arguments = parser.parse_args()
    # the script's own folder would let our module names hide those of other packages
    sys.path[0] = str(AGENT_DIR)

    from remote_agent.contract.run_dir import LOG, rank_log

    run_dir = Path(arguments.run_dir).resolve()
    _write_to(run_dir / LOG / rank_log(int(os.environ.get("RANK", "0"))))

    from remote_agent.trainer.rank import run_rank

    return run_rank(run_dir, arguments.attempt, arguments.resume, arguments.shape)


def _write_to(log: Path) -> None:
    """Send standard output and error of this process and its children to a file: a pipe's reader could die."""
    log.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    from remote_agent.run_files.masking import mask_of_environment, masked_text

    mask = mask_of_environment()
    if mask:
        # most of what is printed then never reaches the disk with a secret in it; the supervisor strikes out the rest
        sys.stdout, sys.stderr = masked_text(1, mask), masked_text(2, mask)


if __name__ == "__main__":
    sys.exit(main())
