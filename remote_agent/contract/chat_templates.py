"""Chat templates that a job may name instead of bringing its own: the public formats, written down once more.

Each marks with ``{% generation %}`` what the assistant writes, its end of turn included, so that masks are exact. Calls
of functions are written in the form of the family; where a family has none, as Hermes and Qwen write them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Mapping, Tuple

PREFIX = "builtin:"
"""What a job's chat template starts with where it names one of these."""

_FUNCTIONS = """\
{%- macro functions() -%}
{{- '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n' -}}
{{- 'You are provided with function signatures within <tools></tools> XML tags:\\n<tools>' -}}
{%- for tool in tools -%}{{- '\\n' + (tool | tojson) -}}{%- endfor -%}
{{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within ' -}}
{{- '<tool_call></tool_call> XML tags:\\n<tool_call>\\n' -}}
{{- '{"name": <function-name>, "arguments": <args-json-object>}\\n</tool_call>' -}}
{%- endmacro -%}
{%- macro calls(message) -%}
{%- for call in message.tool_calls or [] -%}
{%- if message.content or not loop.first -%}{{- '\\n' -}}{%- endif -%}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' -}}
{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson -}}
{{- '}\\n</tool_call>' -}}
{%- endfor -%}
{%- endmacro -%}
"""

_IM_TURNS = """\
{%- for message in messages[first:] -%}
{%- if message.role == 'assistant' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- generation -%}{{- (message.content or '') + calls(message) + '<|im_end|>' -}}{%- endgeneration -%}
{{- '\\n' -}}
{%- elif message.role == 'tool' -%}
{%- if loop.first or loop.previtem.role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' -}}
{%- if loop.last or loop.nextitem.role != 'tool' -%}{{- '<|im_end|>\\n' -}}{%- endif -%}
{%- else -%}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""

_CHATML = (
    _FUNCTIONS
    + """\
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set system = messages[0].content if first else '' -%}
{%- if tools -%}{%- set system = (system + '\\n\\n' if system else '') + functions() -%}{%- endif -%}
{%- if system or first -%}{{- '<|im_start|>system\\n' + system + '<|im_end|>\\n' -}}{%- endif -%}
"""
    + _IM_TURNS
)

_QWEN = (
    _FUNCTIONS
    + """\
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set default = 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.' -%}
{{- '<|im_start|>system\\n' + (messages[0].content if first else default) -}}
{%- if tools -%}{{- '\\n\\n' + functions() -}}{%- endif -%}
{{- '<|im_end|>\\n' -}}
"""
    + _IM_TURNS
)

_LLAMA3 = """\
{%- macro header(role) -%}{{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' -}}{%- endmacro -%}
{{- bos_token -}}
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set system = messages[0].content | trim if first else '' -%}
{%- if tools -%}
{%- set told = namespace(tools='') -%}
{%- for tool in tools -%}{%- set told.tools = told.tools + (tool | tojson(indent=4)) + '\\n\\n' -%}{%- endfor -%}
{%- set how = 'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.'
   + ' Do not use variables.\\n\\n' -%}
{%- set system = 'Environment: ipython\\n\\n' + 'You have access to the following functions. To call a function, '
   + 'respond with JSON for a function call. ' + how + told.tools + system -%}
{%- endif -%}
{%- if system or first -%}{{- header('system') + system + '<|eot_id|>' -}}{%- endif -%}
{%- for message in messages[first:] -%}
{%- if message.role == 'assistant' -%}
{{- header('assistant') -}}
{%- generation -%}
{{- (message.content or '') | trim -}}
{%- for call in message.tool_calls or [] -%}
{{- '{"name": "' + call.function.name + '", "parameters": ' -}}
{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson -}}
{{- '}' -}}
{%- endfor -%}
{{- '<|eot_id|>' -}}
{%- endgeneration -%}
{%- else -%}
{{- header('ipython' if message.role == 'tool' else message.role) + (message.content | trim) + '<|eot_id|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- header('assistant') -}}{%- endif -%}
"""

_MISTRAL = """\
{{- bos_token -}}
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set last_user = namespace(index=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set last_user.index = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}
{%- if tools and loop.index0 == last_user.index -%}
{{- '[AVAILABLE_TOOLS] ' + (tools | tojson) + '[/AVAILABLE_TOOLS]' -}}
{%- endif -%}
{{- '[INST] ' -}}
{%- if first and loop.index0 == last_user.index -%}{{- messages[0].content + '\\n\\n' -}}{%- endif -%}
{{- message.content + '[/INST]' -}}
{%- elif message.role == 'assistant' -%}
{%- generation -%}
{%- if message.content -%}{{- ' ' + (message.content | trim) -}}{%- endif -%}
{%- if message.tool_calls -%}
{{- '[TOOL_CALLS] [' -}}
{%- for call in message.tool_calls -%}
{{- '{"name": "' + call.function.name + '", "arguments": ' -}}
{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson -}}
{%- if call.id -%}{{- ', "id": "' + call.id + '"' -}}{%- endif -%}
{{- '}' if loop.last else '}, ' -}}
{%- endfor -%}
{{- ']' -}}
{%- endif -%}
{{- eos_token -}}
{%- endgeneration -%}
{%- elif message.role == 'tool' -%}
{{- '[TOOL_RESULTS] {"content": ' + (message.content | tojson) -}}
{%- if message.tool_call_id -%}{{- ', "call_id": "' + message.tool_call_id + '"' -}}{%- endif -%}
{{- '}[/TOOL_RESULTS]' -}}
{%- elif not loop.first -%}
{{- raise_exception('a system turn stands first in this format') -}}
{%- endif -%}
{%- endfor -%}
"""

_GEMMA = (
    _FUNCTIONS
    + """\
{{- bos_token -}}
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set before = messages[0].content + '\\n\\n' if first else '' -%}
{%- if tools -%}{%- set before = before + functions() + '\\n\\n' -%}{%- endif -%}
{%- for message in messages[first:] -%}
{%- if message.role == 'assistant' -%}
{{- '<start_of_turn>model\\n' -}}
{%- generation -%}{{- (message.content or '') | trim + calls(message) + '<end_of_turn>' -}}{%- endgeneration -%}
{{- '\\n' -}}
{%- elif message.role == 'system' -%}
{{- raise_exception('a system turn stands first in this format') -}}
{%- else -%}
{{- '<start_of_turn>user\\n' + (before if loop.first else '') -}}
{{- '<tool_response>\\n' + message.content + '\\n</tool_response>' if message.role == 'tool'
    else message.content | trim -}}
{{- '<end_of_turn>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}
"""
)

_ROLES_IN_TOKENS = (
    _FUNCTIONS
    + """\
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set system = messages[0].content if first else '' -%}
{%- if tools -%}{%- set system = (system + '\\n\\n' if system else '') + functions() -%}{%- endif -%}
{%- if system or first -%}{{- '<|system|>\\n' + system + END + '\\n' -}}{%- endif -%}
{%- for message in messages[first:] -%}
{%- if message.role == 'assistant' -%}
{{- '<|assistant|>\\n' -}}
{%- generation -%}{{- (message.content or '') + calls(message) + END -}}{%- endgeneration -%}
{{- '\\n' -}}
{%- elif message.role == 'tool' -%}
{{- '<|user|>\\n<tool_response>\\n' + message.content + '\\n</tool_response>' + END + '\\n' -}}
{%- else -%}
{{- '<|' + message.role + '|>\\n' + message.content + END + '\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}
"""
)

_ALPACA = (
    _FUNCTIONS
    + """\
{%- set first = 1 if messages[0].role == 'system' else 0 -%}
{%- set system = messages[0].content if first
    else 'Below is an instruction that describes a task. Write a response that appropriately completes the request.' -%}
{{- bos_token + system + '\\n\\n' -}}
{%- if tools -%}{{- functions() + '\\n\\n' -}}{%- endif -%}
{%- for message in messages[first:] -%}
{%- if message.role == 'assistant' -%}
{{- '### Response:\\n' -}}
{%- generation -%}{{- (message.content or '') + calls(message) + eos_token -}}{%- endgeneration -%}
{{- '\\n\\n' -}}
{%- else -%}
{{- ('### Input:\\n' if message.role == 'tool' else '### Instruction:\\n') + message.content + '\\n\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '### Response:\\n' -}}{%- endif -%}
"""
)

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "chatml": _CHATML,
        "llama3": _LLAMA3,
        "mistral": _MISTRAL,
        "qwen": _QWEN,
        "gemma": _GEMMA,
        "phi3": _ROLES_IN_TOKENS.replace("END", "'<|end|>'"),
        "zephyr": _ROLES_IN_TOKENS.replace("END", "eos_token"),
        "alpaca": _ALPACA,
    }
)
"""Jinja text by name."""

MARKERS: Mapping[str, Tuple[str, ...]] = MappingProxyType(
    {
        "chatml": ("<|im_start|>", "<|im_end|>"),
        "llama3": ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "mistral": ("[INST]", "[/INST]"),
        "qwen": ("<|im_start|>", "<|im_end|>"),
        "gemma": ("<start_of_turn>", "<end_of_turn>"),
        "phi3": ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        "zephyr": ("<|system|>", "<|user|>", "<|assistant|>"),
        "alpaca": (),
    }
)
"""What each writes between turns that should be single tokens of the tokenizer."""


def resolve_template(text: str) -> str:
    """Return the Jinja text that a job's ``data.chat_template`` stands for. Raises ValueError for an unknown name."""
    if not text.startswith(PREFIX):
        return text
    name = text[len(PREFIX) :].strip()
    if name not in BUILT_IN:
        known = ", ".join(BUILT_IN)
        raise ValueError(f"There is no built-in chat template named {name!r}; there are {known}. Name one of them.")
    return BUILT_IN[name]
