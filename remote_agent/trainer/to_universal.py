"""The child process that turns DeepSpeed's shards into a universal checkpoint, which any ranks and stage can read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    # the script's own folder would let our module names hide those of other packages
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import deepspeed
import torch
from deepspeed.checkpoint import ds_to_universal

MOMENTS = ("fp32", "exp_avg", "exp_avg_sq")
_OPTIMIZER = "optimizer_state_dict"
"""Where a shard of stage 3 keeps the step, and where that stage looks for it."""


def convert(shards: Path, folder: Path, ranks: int) -> None:
    """Write the universal checkpoint of ``shards`` to ``folder`` for so many ranks at any stage from 1 on.

    DeepSpeed's converter writes another form for stage 3 than for 1 and 2; here each parameter gets one that all read.
    """
    zero_files = sorted(shards.glob("*zero_pp_rank_*_optim_states.pt"))
    ds_to_universal.main(
        argparse.Namespace(
            input_folder=str(shards),
            output_folder=str(folder),
            num_extract_workers=min(4, len(zero_files)),
            num_merge_workers=2,
            keep_temp_folder=False,
            strict=True,
            inject_missing_state=True,
        )
    )
    model_state = next(iter(sorted(folder.glob("*_model_states.pt"))))
    step = _step(folder, zero_files[0])
    _one_form(folder / "zero", model_state, step)
    _for_all_stages(folder, model_state, ranks)


def _step(folder: Path, shard: Path) -> torch.Tensor:
    """Return the optimizer's count of updates."""
    for path in (folder / "zero").rglob("step.pt"):
        return torch.as_tensor(torch.load(path, map_location="cpu", weights_only=False))
    state = torch.load(shard, map_location="cpu", weights_only=False, mmap=True)[_OPTIMIZER][_OPTIMIZER]["state"]
    return torch.as_tensor(state[0]["step"])


def _one_form(zero: Path, model_state: Path, step: torch.Tensor) -> None:
    """Give every parameter its shape, the form with a name that stages 1 and 2 read, and its step."""
    shapes = torch.load(model_state, map_location="cpu", weights_only=False, mmap=True)["param_shapes"]
    for name, shape in (item for group in shapes for item in group.items()):
        for moment in MOMENTS:
            path = zero / name / f"{moment}.pt"
            held = torch.load(path, map_location="cpu", weights_only=False)
            if not isinstance(held, dict):
                torch.save({"param": held.view(shape), "cat_dim": 0}, path)
        torch.save(step, zero / name / "step.pt")
    path = zero / "optimizer_state.pt"
    shared = torch.load(path, map_location="cpu", weights_only=False)
    # stage 3's shard holds its flat tensors too, which are in the parameters' files by now
    shared = {key: value for key, value in shared.items() if key not in ("fp32_flat_groups", _OPTIMIZER)}
    shared.setdefault("ds_version", deepspeed.__version__)
    shared[_OPTIMIZER] = {"state": {0: {"step": step}}, "param_groups": shared["param_groups"]}
    torch.save(shared, path)


def _for_all_stages(folder: Path, model_state: Path, ranks: int) -> None:
    """Lay what is no parameter under the names that each stage opens, without its weights."""
    held = torch.load(model_state, map_location="cpu", weights_only=False, mmap=True)
    slim = {**held, "module": {}}
    for path in folder.glob("*_model_states.pt"):
        path.unlink()
    for name in ("mp_rank_00", *(f"zero_pp_rank_{rank}_mp_rank_00" for rank in range(ranks))):
        torch.save(slim, folder / f"{name}_model_states.pt")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
