"""A plain PyTorch loop over a run's batches: the reference that the trainer is measured against; run as a script."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

AGENT_DIR = Path(__file__).resolve().parents[2]


def main() -> None:
    """Train as the run directory says; print a JSON list of [loss, tokens, seconds since the epoch]."""
    sys.path[0] = str(AGENT_DIR)
    import torch
    from torch.nn.functional import cross_entropy
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    from remote_agent.contract.schedule import lr_at
    from remote_agent.dataset.prepared import open_prepared
    from remote_agent.trainer.batches import BatchShape, MicroBatches, supervised_tokens
    from remote_agent.trainer.run_inputs import read_run_inputs

    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    spec, launch, *_ = read_run_inputs(Path(sys.argv[1]))
    torch.set_num_threads(launch.threads_per_rank)
    data = open_prepared(launch.data_folder)
    batches = MicroBatches(data.train, spec, 0, BatchShape(data.report.pad_token_id))
    model = AutoModelForCausalLM.from_pretrained(launch.model_path, dtype=torch.float32, attn_implementation="sdpa")
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": spec.optimizer.weight_decay},
            {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
        ],
        betas=(spec.optimizer.beta1, spec.optimizer.beta2),
        eps=spec.optimizer.epsilon,
        fused=True,
    )
    model.train()
    steps = []
    for step in range(spec.batch.max_steps):
        batch = batches[step]
        for group in optimizer.param_groups:
            group["lr"] = lr_at(spec, step, spec.batch.max_steps)
        logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
        # nothing is cut out of the logits of the last position: the labels are shifted under them
        targets = torch.cat([batch["labels"][:, 1:], torch.full_like(batch["labels"][:, :1], -100)], dim=1)
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum") / supervised_tokens(batch)
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        torch.nn.utils.clip_grad_norm_(model.parameters(), spec.regularization.clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        steps.append([loss.item(), batch["tokens"], time.time()])
    print(json.dumps(steps))


if __name__ == "__main__":
    main()
