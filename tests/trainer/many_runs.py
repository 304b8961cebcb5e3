"""A rank that does one run after the other in one launch: a launch each would take half a minute each."""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
import types
from contextlib import nullcontext
from pathlib import Path
from typing import Any


def main() -> None:
    """Do the runs of the plan and write what rows were trained.

    Of each run it names run_dir, attempt, resume, copy_from, copy_losses, shape, free_bytes and count_reads.
    """
    import torch.distributed as dist

    from remote_agent.contract.reshaping import Shape
    from remote_agent.trainer import course, fine_tuner
    from remote_agent.trainer.rank import fine_tune
    from remote_agent.trainer.report import Report
    from remote_agent.trainer.run_inputs import read_run_inputs
    from tests.trainer.device_reads import counted_reads

    rank = int(os.environ["RANK"])
    plain = fine_tuner.FineTuner.training_step
    for run in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        run_dir = Path(run["run_dir"])
        seen: list[Any] = []

        def noting(tuner: Any, model: Any, inputs: Any, items: Any = None, seen: list[Any] = seen) -> Any:
            seen.append({name: inputs[name].tolist() for name in ("input_ids", "position_ids", "labels")})
            return plain(tuner, model, inputs, items)

        fine_tuner.FineTuner.training_step = noting  # type: ignore[method-assign, assignment]
        if run.get("copy_from") and rank == 0:
            source = Path(run["copy_from"])
            shutil.copytree(source, run_dir / "checkpoints" / source.name)
        if run.get("copy_losses") and rank == 0:
            shutil.copytree(run["copy_losses"], run_dir / "row_losses")
        if dist.is_initialized():
            dist.barrier()
        if "free_bytes" in run:
            free = types.SimpleNamespace(free=run["free_bytes"])
            course.shutil.disk_usage = lambda path, free=free: free  # type: ignore[attr-defined]
        report = Report(run_dir, rank)
        try:
            shape = Shape(*run["shape"]) if "shape" in run else None
            with counted_reads(run_dir / f"reads-rank{rank}.json") if run.get("count_reads") else nullcontext():
                fine_tune(read_run_inputs(run_dir, shape), run_dir, run["attempt"], run["resume"], report)
        except Exception:  # noqa: BLE001 a rank that fails must not leave the other waiting
            traceback.print_exc()
            os._exit(1)
        report.close()
        (run_dir / f"seen-rank{rank}.json").write_text(json.dumps(seen), encoding="utf-8")
        _forget()


def _forget() -> None:
    """Let go of what accelerate and transformers keep of the run before."""
    import torch.distributed as dist
    from accelerate.state import AcceleratorState
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    dist.barrier()
    AcceleratorState._reset_state(reset_partial_state=True)
    unset_hf_deepspeed_config()


if __name__ == "__main__":
    main()
