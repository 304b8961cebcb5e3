"""A rank that does one run after the other in one launch and notes which of them an optimizer refused."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from tests.trainer.many_runs import _forget


def main() -> None:
    """Do the runs of the plan. Of each it names run_dir, whether it may fail, and whether fp16 is let run on a CPU."""
    sys.modules.setdefault("mlflow", None)  # type: ignore[arg-type]  # as a rank has it, before DeepSpeed is imported
    from deepspeed.accelerator import get_accelerator

    from remote_agent.trainer.rank import fine_tune
    from remote_agent.trainer.report import Report
    from remote_agent.trainer.run_inputs import read_run_inputs

    rank = int(os.environ["RANK"])
    # DeepSpeed asks oneDNN, which has fp16 on few processors; PyTorch's own CPU kernels have it on all
    get_accelerator().is_fp16_supported = lambda: True
    for run in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        run_dir = Path(run["run_dir"])
        report = Report(run_dir, rank)
        try:
            fine_tune(read_run_inputs(run_dir), run_dir, 1, run.get("resume", ""), report)
        except (ValueError, RuntimeError, AssertionError, IndexError) as error:
            if not run["may_fail"]:
                traceback.print_exc()
                os._exit(1)
            (run_dir / f"refused-rank{rank}").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        report.close()
        _forget()


if __name__ == "__main__":
    main()
