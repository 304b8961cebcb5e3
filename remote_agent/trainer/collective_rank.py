"""One rank of the collective test: sums over all ranks for some seconds; rank 0 prints what came of it as one line."""

from __future__ import annotations

import datetime
import json
import os
import sys
import time

import torch
from torch import distributed

MARK = "LUTHIER-COLLECTIVE"
GPU_BYTES, CPU_BYTES = 64 << 20, 4 << 20
_A_LOOK = 5
_JOIN_S = 30.0


def main(seconds: float, use_gpu: bool) -> int:
    """Take part; return 0 where every sum was right.

    The bandwidth is that of the bus, as NCCL's own tests count it: bytes a sum times 2 (n - 1) / n by the time it took.
    """
    begun = time.monotonic()
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if use_gpu else torch.device("cpu")
    if use_gpu:
        torch.cuda.set_device(device)
    backend = "nccl" if use_gpu else "gloo"
    distributed.init_process_group(backend, timeout=datetime.timedelta(seconds=_JOIN_S))
    message = torch.empty((GPU_BYTES if use_gpu else CPU_BYTES) // 4, dtype=torch.float32, device=device)
    goes_on = torch.ones(1, device=device)
    sums, busy_s, right = 0, 0.0, True
    _sum(message, rank)  # the first sets up what the others use
    joined_s = time.monotonic() - begun
    until = time.monotonic() + seconds
    while goes_on.item():
        for _ in range(_A_LOOK):
            busy_s += _sum(message, rank)
            sums += 1
        right = right and bool((message == ranks * (ranks + 1) / 2).all())
        goes_on.fill_(1.0 if time.monotonic() < until else 0.0)
        distributed.broadcast(goes_on, 0)
    distributed.barrier()
    distributed.destroy_process_group()
    if rank == 0:
        size = message.numel() * message.element_size()
        rate = size * sums / busy_s * 2 * (ranks - 1) / ranks if busy_s else 0.0
        told = {
            "ranks": ranks, "backend": backend, "message_bytes": size, "sums": sums, "took_s": round(busy_s, 3),
            "joined_s": round(joined_s, 2), "bus_bytes_per_s": rate,
        }  # fmt: skip
        sys.stdout.write(f"\n{MARK} {json.dumps(told)}\n")
        sys.stdout.flush()
    return 0 if right else 3


def _sum(message: torch.Tensor, rank: int) -> float:
    """Sum over the ranks and return how long it took, in seconds."""
    message.fill_(rank + 1.0)
    if message.is_cuda:
        torch.cuda.synchronize()
    begun = time.perf_counter()
    distributed.all_reduce(message)
    if message.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2] == "gpu"))
