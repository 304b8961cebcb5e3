"""The text of the exported script; what stands between two @ is filled in."""

from __future__ import annotations

SCRIPT = '''"""Fine-tunes a model with plain transformers, as the job "@NAME@" says. Needs transformers 5 and torch.

One process:       python train.py
Several, by ZeRO:  deepspeed --num_gpus 8 train.py   (reads ds_config.json beside this file)
"""

import argparse
import json
import os
import random
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

MODEL = @MODEL@
DATA = @DATA@
ARGUMENTS = @ARGUMENTS@
IGNORED = -100


def main():
    parser = argparse.ArgumentParser(description="Fine-tune a model with transformers.")
    parser.add_argument("--model", default=MODEL["path"], help="folder or Hub id")
    parser.add_argument("--data", default=DATA["path"], help="JSON or JSONL file, or Hub id")
    parser.add_argument("--output", default=ARGUMENTS["output_dir"], help="folder for checkpoints and weights")
    given = parser.parse_args()
    arguments = TrainingArguments(**{**ARGUMENTS, "output_dir": given.output, "deepspeed": zero_config()})
    tokenizer = AutoTokenizer.from_pretrained(given.model, revision=MODEL["revision"])
    if DATA["chat_template"]:
        tokenizer.chat_template = DATA["chat_template"]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    train, held_out = encoded_rows(given.data, tokenizer, arguments.seed)
    if not held_out:
        arguments.eval_strategy, arguments.eval_on_start = "no", False
    model = AutoModelForCausalLM.from_pretrained(
        given.model,
        revision=MODEL["revision"],
        trust_remote_code=MODEL["trust_remote_code"],
        attn_implementation=MODEL["attn_implementation"],
        dtype=getattr(torch, MODEL["dtype"]),  # the master weights; bf16 and fp16 compute under autocast
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=held_out or None,
        data_collator=lambda rows: padded(rows, tokenizer.pad_token_id),
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(str(Path(given.output) / "final"))
    trainer.save_state()


def zero_config():
    """The DeepSpeed configuration where several processes were started, else None."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return None
    config = json.loads((Path(__file__).parent / "ds_config.json").read_text(encoding="utf-8"))
    config["train_batch_size"] = (
        ARGUMENTS["per_device_train_batch_size"] * ARGUMENTS["gradient_accumulation_steps"] * world
    )
    return config


def encoded_rows(path, tokenizer, seed):
    """Token ids and labels of the training rows and of the held-out ones."""
    rows = rows_of(path)
    rows = rows[: DATA["max_rows"]] if DATA["max_rows"] else rows
    if DATA["held_out_path"]:
        held_out = rows_of(DATA["held_out_path"])
    else:
        order = list(range(len(rows)))
        random.Random(seed).shuffle(order)
        apart = set(order[: round(len(rows) * DATA["held_out_fraction"])])
        held_out = [rows[number] for number in sorted(apart)]
        rows = [row for number, row in enumerate(rows) if number not in apart]
    found = [[encoded(row, tokenizer) for row in part] for part in (rows, held_out)]
    return [[row for row in part if row is not None] for part in found]


def rows_of(path):
    """The rows of a JSON or JSONL file, or of a data set of the Hub."""
    if DATA["hub"] and not Path(path).exists():
        from datasets import load_dataset

        return list(load_dataset(path, DATA["subset"], split=DATA["split"]))
    text = Path(path).read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def encoded(row, tokenizer):
    """Token ids and labels of a row: only answers are learnt, unless DATA says otherwise. None: nothing to learn."""
    if DATA["shape"] == "text":
        ids = tokenizer(row[DATA["columns"]["text"]])["input_ids"] + [tokenizer.eos_token_id]
        return cut(ids, list(ids))
    turns = conversation(row)
    if not tokenizer.chat_template:
        asked = tokenizer("\\n".join(turn["content"] for turn in turns[:-1]) + "\\n")["input_ids"]
        answer = tokenizer(turns[-1]["content"], add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        every = DATA["train_on"] == "all"
        return cut(asked + answer, (asked if every else [IGNORED] * len(asked)) + answer)
    ids = templated(tokenizer, turns)
    if DATA["train_on"] == "all":
        return cut(ids, list(ids))
    labels = [IGNORED] * len(ids)
    answers = [number for number, turn in enumerate(turns) if turn["role"] == "assistant"]
    for number in answers[-1:] if DATA["train_on"] == "last" else answers:
        begin = len(templated(tokenizer, turns[:number], add_generation_prompt=True))
        end = len(templated(tokenizer, turns[: number + 1]))
        # the end marker is learnt, a line break that the template puts behind it is not
        end = next((last + 1 for last in range(end - 1, begin, -1) if ids[last] == tokenizer.eos_token_id), end)
        labels[begin:end] = ids[begin:end]
    return cut(ids, labels)


def templated(tokenizer, turns, **how):
    """The token ids of turns under the chat template."""
    return tokenizer(tokenizer.apply_chat_template(turns, tokenize=False, **how), add_special_tokens=False)["input_ids"]


def cut(ids, labels):
    """The row at most as long as the sequence length; None where it is dropped or nothing is left to learn."""
    length = DATA["max_length"]
    if len(ids) > length and DATA["drop_longer"]:
        return None
    ids, labels = ids[:length], labels[:length]
    return {"input_ids": ids, "labels": labels} if any(label != IGNORED for label in labels[1:]) else None


def conversation(row):
    """The turns of a row as role and content."""
    columns, shape = DATA["columns"], DATA["shape"]
    if shape in ("messages", "sharegpt"):
        roles = {"human": "user", "gpt": "assistant"}
        turns = [
            {"role": roles.get(turn.get("role", turn.get("from")), turn.get("role", turn.get("from"))),
             "content": turn.get("content", turn.get("value"))}
            for turn in row[columns["messages"]]
        ]
    elif shape == "classification":
        turns = [{"role": "user", "content": row[columns["text"]]},
                 {"role": "assistant", "content": str(row[columns["label"]])}]
    else:
        extra = row.get(columns.get("input", ""), "")
        asked = row[columns["prompt"]] + (f"\\n\\n{extra}" if extra else "")
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": row[columns["response"]]}]
    if DATA["system_prompt"] and turns[0]["role"] != "system":
        turns.insert(0, {"role": "system", "content": DATA["system_prompt"]})
    return turns


def padded(rows, pad):
    """A batch, its rows filled up to the longest."""
    longest = max(len(row["input_ids"]) for row in rows)
    gaps = [longest - len(row["input_ids"]) for row in rows]
    return {
        "input_ids": torch.tensor([row["input_ids"] + [pad] * gap for row, gap in zip(rows, gaps)]),
        "attention_mask": torch.tensor([[1] * len(row["input_ids"]) + [0] * gap for row, gap in zip(rows, gaps)]),
        "labels": torch.tensor([row["labels"] + [IGNORED] * gap for row, gap in zip(rows, gaps)]),
    }


if __name__ == "__main__":
    main()
'''
