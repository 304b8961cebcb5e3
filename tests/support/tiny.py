"""A tokenizer, a model and rows so small that a test makes them in a moment; the same bytes every time."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

CHATML_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a tiny assistant<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""SmolLM2's template with a shorter system prompt: it puts a system turn where there is none."""

GENERATION_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a tiny assistant<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n'}}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The same text as `CHATML_TEMPLATE`, with the markers that say what the assistant generates."""

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

_SUBJECTS = ("The cat", "A small dog", "My old friend", "The river", "Every student", "The violin maker", "Her brother")
_VERBS = ("likes", "finds", "carries", "remembers", "paints", "repairs", "hears")
_OBJECTS = ("a warm song", "the open door", "seven apples", "an empty house", "the wooden bridge", "a quiet morning")


def tiny_tokenizer_files(folder: Path, chat_template: str = CHATML_TEMPLATE) -> Path:
    """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json as SmolLM2 has them; return the folder.

    An empty ``chat_template`` writes none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f"{row['instruction']} {row['output']}\n" for row in _alpaca_rows(200)], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "model_max_length": 512,
        "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    if chat_template:
        config["chat_template"] = chat_template
    _write_json(folder / "tokenizer_config.json", config)
    _write_json(
        folder / "special_tokens_map.json", {key: config[key] for key in ("bos_token", "eos_token", "pad_token")}
    )
    return folder


def tiny_model(folder: Path, layers: int = 2, hidden: int = 32, chat_template: str = CHATML_TEMPLATE) -> Path:
    """Write a Llama model of seeded random fp32 weights with the tiny tokenizer beside it; return the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny_tokenizer_files(folder, chat_template)
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 16),
        num_key_value_heads=max(1, hidden // 32),
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = LlamaForCausalLM(config).to(torch.float32)
    model.save_pretrained(folder)
    return folder


def tiny_rows(folder: Path, rows: int = 40) -> Path:
    """Write ``rows.json``, an alpaca array of simple sentences; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.json"
    path.write_text(json.dumps(_alpaca_rows(rows), indent=1), encoding="utf-8")
    return path


def _alpaca_rows(count: int) -> list[dict[str, str]]:
    rows = []
    for index in range(count):
        subject = _SUBJECTS[index % len(_SUBJECTS)]
        verb = _VERBS[(index // 3) % len(_VERBS)]
        thing = _OBJECTS[(index * 5 + index // 7) % len(_OBJECTS)]
        sentence = " ".join([f"{subject} {verb} {thing}."] * (1 + index % 3))
        rows.append({
            "instruction": f"What does {subject.lower()} do on day {index}?",
            "input": f"Think of {thing}." if index % 4 == 0 else "",
            "output": sentence,
        })  # fmt: skip
    return rows


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def tiny_seq2seq(folder: Path, seed: int = 5) -> Path:
    """Write a T5 of seeded random fp32 weights with the tiny tokenizer beside it; return the folder."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    tiny_tokenizer_files(folder, chat_template="")
    config = T5Config(
        vocab_size=Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size(),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=2,
        eos_token_id=2,
        pad_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config).to(torch.float32)
    model.save_pretrained(folder)
    return folder
