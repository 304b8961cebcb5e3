"""Which parameter is trained how: decay, learning rate, update rule, frozen. The trainer and the preview ask here."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import re
from typing import Dict, Iterable, List, Sequence, Tuple

from remote_agent.contract.recipe_spec import OptimizerSpec

Shape = Tuple[str, Tuple[int, ...]]
"""A parameter's name as transformers has it, and its shape."""

EMBEDDINGS, HEAD, BODY = "embeddings", "head", "body"

_LAYER = re.compile(r"(?:^|\.)(?:layers|layer|h|blocks|block)\.(\d+)\.")
_EMBEDDINGS = re.compile(
    r"(?:^|\.)(?:embed_tokens|embed_in|embed_positions|wte|wpe|shared|(?:word|token_type|position)_embeddings)\.weight$"
)
_HEAD = re.compile(r"(?:^|\.)(?:lm_head|embed_out|output_projection|score|classifier)\.(?:weight|bias)$")
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclasses.dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are trained alike. ``names`` are in the model's order.

    Attributes:
        names: the parameters' names.
        count: how many numbers they hold together.
        lr_factor: their learning rate as a share of the schedule's.
        weight_decay: the decoupled decay at the start of the run, 0 where they have none.
        rule: the update rule, an optimizer kind; under Muon "muon" for the layers' matrices and "adamw" for the rest.
        frozen: they are not trained; the other attributes then mean nothing.
        part: "embeddings", "head" or "body", empty where parts share the group.
        layers: the least and the greatest layer number, (-1, -1) where no layer is in it.
    """

    names: Tuple[str, ...]
    count: int
    lr_factor: float
    weight_decay: float
    rule: str
    frozen: bool
    part: str
    layers: Tuple[int, int]


def part_of(name: str) -> str:
    """Return whether a parameter is of the embeddings, of the head or of the body, by its name."""
    if layer_of(name) < 0:
        if _EMBEDDINGS.search(name):
            return EMBEDDINGS
        if _HEAD.search(name):
            return HEAD
    return BODY


def layer_of(name: str) -> int:
    """Return the number of the layer a parameter lies in, -1 where it lies in none."""
    found = _LAYER.search(name)
    return int(found.group(1)) if found else -1


def parameter_groups(
    shapes: Iterable[Shape], spec: OptimizerSpec, embeddings: Sequence[str] = (), heads: Sequence[str] = ()
) -> Tuple[ParameterGroup, ...]:
    """Return the groups of a model's parameters: the body's from the top layer down, embeddings, head, frozen.

    Vectors (biases, norm weights) are never decayed; embeddings and head only where ``decay_embeddings`` says so. The
    top layer, what lies above it and the head train at the schedule's rate; layer i of n at layer_decay^(n - 1 - i),
    the embeddings at layer_decay^n (Clark et al., ELECTRA, arXiv:2003.10555, with the top layer at 1).

    Args:
        shapes: (name, shape) of every parameter, one that is tied to another only once.
        spec: the update rule.
        embeddings: names that are embeddings though their names do not tell.
        heads: names that are heads though their names do not tell.
    """
    known = list(shapes)
    top = max((layer_of(name) for name, _ in known), default=-1)
    found: Dict[Tuple[float, float, str, bool], List[Shape]] = {}
    order: Dict[Tuple[float, float, str, bool], Tuple[int, ...]] = {}
    for name, shape in known:
        part = EMBEDDINGS if name in embeddings else HEAD if name in heads else part_of(name)
        layer = layer_of(name)
        if is_frozen(name, spec.frozen):
            key = (0.0, 0.0, spec.kind, True)
        else:
            key = (_factor(part, layer, top, spec), _decay(part, shape, spec), _rule(layer, shape, spec), False)
        found.setdefault(key, []).append((name, shape))
        beside = spec.kind == "muon" and key[2] != "muon"
        number = (BODY, EMBEDDINGS, HEAD).index(part)
        place = (key[3], beside, number, -(top if layer < 0 else layer), not key[1])
        order[key] = min(order.get(key, place), place)
    parts = {name: EMBEDDINGS for name in embeddings}
    parts.update({name: HEAD for name in heads})
    return tuple(_group(key, found[key], parts) for key in sorted(found, key=lambda key: order[key]))


def _group(key: Tuple[float, float, str, bool], members: List[Shape], parts: Dict[str, str]) -> ParameterGroup:
    names = tuple(name for name, _ in members)
    in_group = {parts.get(name) or part_of(name) for name in names}
    layers = [layer for layer in map(layer_of, names) if layer >= 0]
    return ParameterGroup(
        names,
        sum(elements(shape) for _, shape in members),
        key[0],
        key[1],
        key[2],
        key[3],
        in_group.pop() if len(in_group) == 1 else "",
        (min(layers), max(layers)) if layers else (-1, -1),
    )


def elements(shape: Sequence[int]) -> int:
    """Return how many numbers a tensor of this shape holds."""
    product = 1
    for size in shape:
        product *= size
    return product


def is_frozen(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a pattern of `fnmatch` matches the whole name; upper and lower case differ."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def idle_patterns(names: Sequence[str], patterns: Iterable[str]) -> Tuple[Tuple[str, Tuple[str, ...]], ...]:
    """Return the patterns that match no name, each with up to three names or families of names that are near it."""
    families = sorted({_NUMBER.sub("*", name) for name in names})
    found = []
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern, [*families, *names], n=3, cutoff=0.4)
            found.append((pattern, tuple(near)))
    return tuple(found)


def name_families(names: Iterable[str]) -> Tuple[Tuple[str, int], ...]:
    """Return names that differ only in a number once, with * for it and how many they are, in the order given."""
    counts: Dict[str, List[str]] = {}
    for name in names:
        counts.setdefault(_NUMBER.sub("*", name), []).append(name)
    return tuple((family if len(members) > 1 else members[0], len(members)) for family, members in counts.items())


def _factor(part: str, layer: int, top: int, spec: OptimizerSpec) -> float:
    if part == EMBEDDINGS:
        return float(spec.layer_decay ** (top + 1) * spec.embedding_factor)
    if part == HEAD:
        return float(spec.head_factor)
    return float(spec.layer_decay ** (top - layer)) if layer >= 0 else 1.0


def _decay(part: str, shape: Tuple[int, ...], spec: OptimizerSpec) -> float:
    if len(shape) < 2 or (part != BODY and not spec.decay_embeddings):
        return 0.0
    return float(spec.weight_decay)


def _rule(layer: int, shape: Tuple[int, ...], spec: OptimizerSpec) -> str:
    if spec.kind != "muon":
        return spec.kind
    return "muon" if layer >= 0 and len(shape) == 2 else "adamw"
