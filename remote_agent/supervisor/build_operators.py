"""Run by the environment's Python: compiles operators of DeepSpeed by their builders' names, a line for each.

It is started with TORCH_EXTENSIONS_DIR set. Nothing here is imported by the agent, which has no DeepSpeed.
"""

from __future__ import annotations

import importlib
import sys


def main() -> int:
    """Build the operators that the arguments name; return 0 where all are there or nobody asked for what cannot be."""
    for name in sys.argv[1:]:
        # what a job asks for by name is a GPU's; the rest is what DeepSpeed itself wants of a CPU
        is_asked_for = name == "FusedAdamBuilder"
        builders = importlib.import_module("deepspeed.ops.op_builder" + ("" if is_asked_for else ".cpu"))
        builder = getattr(builders, name)()
        if not builder.is_compatible(verbose=False):
            sys.stdout.write("LUTHIER-OPERATOR {} incompatible\n".format(name))
            if is_asked_for:
                sys.stdout.write(
                    "It needs nvcc of the CUDA that torch was built with; or set the AdamW kernel to torch.\n"
                )
                return 1
            continue
        sys.stdout.write("LUTHIER-OPERATOR {} building\n".format(name))
        sys.stdout.flush()
        builder.load(verbose=True)
        sys.stdout.write("LUTHIER-OPERATOR {} built\n".format(name))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
