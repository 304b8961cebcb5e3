"""Preparing a large file: rows a second from first tenth to last, peak memory, and the waste of each batching."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from remote_agent.contract.job_spec import DataSpec, JobSpec
from remote_agent.contract.spec_json import spec_to_json
from remote_agent.dataset.corpus import Corpus, DataPaths
from remote_agent.dataset.lengths import batching_at
from remote_agent.dataset.prepared import ROW_STARTS, TRAIN, array_file
from remote_agent.dataset.rendering import Renderer
from remote_agent.dataset.tokenizer_files import load_tokenizer
from tests.support.real_model import real_inputs
from tests.support.samples import sample

SIZE_VARIABLE = "LUTHIER_PREPARE_MB"
"""Megabytes of the file that is made; 200 where it is not set."""

LENGTH, MICRO_BATCH = 2048, 8
GOAL_MEMORY_MB = 1000
REFERENCE_ROWS = 4000

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from remote_agent.contract.spec_json import spec_from_json
from remote_agent.dataset.corpus import DataPaths
from remote_agent.dataset.prepare import prepare

job, model, data, root = spec_from_json(Path(sys.argv[1]).read_text()), *map(Path, sys.argv[2:])
times = []

def progress(phase, done, total, unit):
    times.append((phase, done, total, time.perf_counter()))

report, folder = prepare(job, model, DataPaths((data,)), root, progress)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"times": times, "peak_kb": peak, "folder": str(folder), "report": report.train_tokens}))
"""


def make_file(path: Path, megabytes: int) -> int:
    """Write alpaca's rows again and again, each time with other numbers in them; return the number of rows."""
    rows = json.loads(sample("alpaca_en_demo.json").read_text(encoding="utf-8"))
    written = count = 0
    with path.open("w", encoding="utf-8") as file:
        while written < megabytes << 20:
            row = rows[count % len(rows)]
            line = json.dumps({**row, "instruction": f"{row['instruction']} ({count})"}, ensure_ascii=False) + "\n"
            written += file.write(line)
            count += 1
    return count


def bare_rows_a_second(model_path: Path, data: Path) -> float:
    """Return how fast the tokenizer alone encodes the texts of the first rows, in batches over all cores."""
    model = load_tokenizer(model_path)
    job = JobSpec(data=DataSpec(max_length=LENGTH))
    renderer = Renderer(model)
    rows = Corpus(job, model, DataPaths((data,))).rows_at(0, REFERENCE_ROWS)
    texts = [renderer.render(one.conversation).text for one in rows if one.conversation is not None]
    began = time.perf_counter()
    for start in range(0, len(texts), 512):
        model.tokenizer.encode_batch(texts[start : start + 512], add_special_tokens=False)
    return len(texts) / (time.perf_counter() - began)


def tenths(times: list[tuple[float, float]]) -> list[float]:
    """Return rows a second in each tenth of the rows, from moments and rows done by then."""
    done = np.array([rows for rows, _ in times])
    moments = np.array([moment for _, moment in times])
    at = np.interp(np.linspace(0, done[-1], 11), done, moments)
    return [float(value) for value in done[-1] / 10 / np.diff(at)]


@pytest.mark.benchmark
def test_that_a_large_file_is_prepared_at_a_flat_rate_in_little_memory(tmp_path: Path) -> None:
    model = real_inputs().model
    data = tmp_path / "rows.jsonl"
    rows = make_file(data, int(os.environ.get(SIZE_VARIABLE, "200")))
    job = tmp_path / "job.json"
    job.write_text(spec_to_json(JobSpec(data=DataSpec(max_length=LENGTH))), encoding="utf-8")
    before = bare_rows_a_second(model, data)
    began = time.perf_counter()
    answer = json.loads(
        subprocess.run(
            [sys.executable, "-c", _CHILD, job, model, data, tmp_path / "data"],
            env={**os.environ, "TOKENIZERS_PARALLELISM": "true"}, capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    whole = time.perf_counter() - began
    bare = (before + bare_rows_a_second(model, data)) / 2
    reading = [(done, moment) for phase, done, total, moment in answer["times"] if phase == "data" and total]
    rates = tenths(reading)
    mean = reading[-1][0] / (reading[-1][1] - reading[0][1])
    print(
        f"\npreparing {rows:,} rows of {data.stat().st_size / 1e6:,.0f} MB: {whole:.0f} s in all; "
        f"{mean:,.0f} rows/s while tokenizing, {mean / bare:.2f} x of the bare tokenizer ({bare:,.0f})"
        f"\n  rows/s by tenths: {' '.join(f'{rate:,.0f}' for rate in rates)} "
        f"(last / first {rates[-1] / rates[0]:.2f})"
        f"\n  peak {answer['peak_kb'] / 1e3:,.0f} MB (goal {GOAL_MEMORY_MB:,} MB)"
    )
    lengths = np.diff(np.load(Path(answer["folder"]) / array_file(TRAIN, ROW_STARTS)))
    for way in batching_at(lengths, LENGTH, MICRO_BATCH):
        print(
            f"  {way.kind:>12}: {way.sequences:,} sequences, {way.held_tokens:,} tokens held, "
            f"{1 - way.tokens / way.held_tokens:.2%} waste"
        )
