"""LLaMA-Factory's own training on packed sequences that are given, timed; its own environment's Python runs this.

Its lean options that a processor can run are on: rows packed with a mask of their own (neat_packing), no gradient
checkpointing, the fused AdamW. Liger's kernel and unsloth need a GPU.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from remote_agent.contract.schedule import lr_at
from remote_agent.contract.spec_json import spec_from_json
from tests.benchmarks.step_watch import Watch


def main() -> int:
    """Train in the run directory, write to it what was measured, and return 0."""
    run_dir, batches, figures = (Path(argument) for argument in sys.argv[1:4])
    import torch
    from datasets import Dataset, DatasetDict
    from llamafactory.train.sft.trainer import CustomSeq2SeqTrainer  # type: ignore[import-not-found]
    from llamafactory.train.tuner import run_exp  # type: ignore[import-not-found]

    spec = spec_from_json((run_dir / "job.json").read_text(encoding="utf-8"))
    launch = json.loads((run_dir / "launch.json").read_text(encoding="utf-8"))
    torch.set_num_threads(launch["threads_per_rank"])
    tokenized = run_dir / "llamafactory-data"
    rows = Dataset.from_list([_row(one) for one in json.loads(batches.read_text(encoding="utf-8"))])
    DatasetDict({"train": rows}).save_to_disk(str(tokenized))
    watch = Watch()
    watch.time_trainer(CustomSeq2SeqTrainer)
    watch.wait_for_model()

    def scheduled(trainer: Any, num_training_steps: int, optimizer: Any = None) -> Any:
        chosen = optimizer or trainer.optimizer
        rate = torch.optim.lr_scheduler.LambdaLR(chosen, lambda step: lr_at(spec, step, spec.batch.max_steps))
        trainer.lr_scheduler, trainer._created_lr_scheduler = rate, True
        return rate

    CustomSeq2SeqTrainer.create_scheduler = scheduled
    CustomSeq2SeqTrainer.save_model = CustomSeq2SeqTrainer.save_state = lambda *_, **__: None
    recipe = spec.optimizer
    run_exp(
        {
            "model_name_or_path": launch["model_path"], "stage": "sft", "do_train": True, "finetuning_type": "full",
            "tokenized_path": str(tokenized), "template": "chatml", "dataset": "none", "packing": True,
            "neat_packing": True, "cutoff_len": spec.data.max_length + 1, "disable_shuffling": True,
            "output_dir": str(run_dir / "llamafactory"), "per_device_train_batch_size": spec.batch.micro_batch,
            "gradient_accumulation_steps": spec.batch.accumulation, "max_steps": spec.batch.max_steps,
            # the schedule gives the rate itself
            "learning_rate": 1.0, "optim": "adamw_torch_fused", "adam_beta1": recipe.beta1,
            "adam_beta2": recipe.beta2, "adam_epsilon": recipe.epsilon, "weight_decay": recipe.weight_decay,
            "max_grad_norm": spec.regularization.clip_norm, "flash_attn": "sdpa", "use_cpu": True, "bf16": False,
            "disable_gradient_checkpointing": True, "logging_steps": 1, "save_strategy": "no", "report_to": "none",
            "dataloader_num_workers": 0, "infer_dtype": "float32",
        },
        callbacks=[watch.ends()],
    )  # fmt: skip
    watch.write(figures)
    return 0


def _row(sequence: dict[str, list[int]]) -> dict[str, Any]:
    """Return a packed sequence as LLaMA-Factory's packer writes it: the mask numbers the rows within, from 1."""
    lengths = sequence["seq_lengths"]
    return {
        "input_ids": sequence["input_ids"],
        "labels": sequence["labels"],
        "attention_mask": [number for number, length in enumerate(lengths, 1) for _ in range(length)],
        "position_ids": [place for length in lengths for place in range(length)],
        "images": None, "videos": None, "audios": None,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
