"""torch.distributed and DeepSpeed brought up before the model, as ZeRO-3 needs it."""

from __future__ import annotations

import os

import deepspeed
import torch

from remote_agent.contract.job_spec import JobSpec


def start_process_group(spec: JobSpec, use_gpu: bool) -> None:
    """Join the ranks that torch.distributed.run has started.

    Raises:
        ValueError: there are not as many as the job says, or fewer GPUs than ranks.
    """
    ranks = int(os.environ["WORLD_SIZE"])
    if ranks != spec.strategy.ranks:
        raise ValueError(f"The job asks for {spec.strategy.ranks} processes, {ranks} were started.")
    if use_gpu:
        local_rank = int(os.environ["LOCAL_RANK"])
        if torch.cuda.device_count() <= local_rank:
            raise ValueError(
                f"Process {local_rank} has no GPU: torch sees {torch.cuda.device_count()}. "
                "Check the driver and CUDA_VISIBLE_DEVICES on the node."
            )
        torch.cuda.set_device(local_rank)
    deepspeed.init_distributed(verbose=False)
