"""Stands for torch.distributed.run: starts the ranks in sessions of their own and prints what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time


def main() -> int:
    arguments = sys.argv[1:]
    ranks = int(next(item.partition("=")[2] for item in arguments if item.startswith("--nproc-per-node=")))
    script = next(index for index, item in enumerate(arguments) if item.endswith("__main__.py"))
    children = [
        subprocess.Popen(
            [sys.executable, "-S", "-B", *arguments[script:]],
            env={**os.environ, "RANK": str(rank), "WORLD_SIZE": str(ranks)},
            start_new_session=True,
        )
        for rank in range(ranks)
    ]

    def forward(number: int, frame: object) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        sys.exit(1)

    signal.signal(signal.SIGTERM, forward)
    while True:
        codes = [child.poll() for child in children]
        bad = [rank for rank, code in enumerate(codes) if code]
        if bad:
            for child in children:
                if child.poll() is None:
                    child.terminate()
            rank = bad[0]
            print("Root Cause (first observed failure):\n[0]:\n  time      : 2026-01-01_00:00:00\n  host      : here")
            print(f"  rank      : {rank} (local_rank: {rank})")
            print(f"  exitcode  : {codes[rank]} (pid: {children[rank].pid})")
            print("  error_file: <N/A>", flush=True)
            return 1
        if all(code == 0 for code in codes):
            return 0
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
