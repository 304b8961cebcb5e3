"""Whether a chat template only ever writes the contents of messages, so that it need not be asked for every row.

Then what it writes between them follows from the roles alone, and of all rows with the same roles one rendering tells
the text around every content. This is decided from the template's tree, by a list of what is allowed: anything else,
such as a filter on a content or a condition on it, and the template is rendered for each row.
"""

from __future__ import annotations

import jinja2.nodes as nodes

_REACHING_ON = frozenset(("previtem", "nextitem", *dir(dict)))
"""Attributes that lead to a whole message, or to all that a message holds."""


def writes_contents_as_they_are(tree: nodes.Template) -> bool:
    """Say whether messages' contents are nowhere used but where they are written out whole."""
    names = {
        loop.target.name
        for loop in tree.find_all(nodes.For)
        if isinstance(loop.target, nodes.Name) and _is_messages(loop.iter)
    }
    return _allows(tree, (), names)


def _is_messages(node: nodes.Node) -> bool:
    """Say whether the node is the list of messages or a part of it."""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        node = node.node
    return isinstance(node, nodes.Name) and node.name == "messages"


def _allows(node: nodes.Node, above: tuple[nodes.Node, ...], names: set[str]) -> bool:
    if isinstance(node, (nodes.Getattr, nodes.Getitem)):
        field = _field(node)
        if field in _REACHING_ON:
            return False
        if _is_one_message(node.node, names):
            # Whatever else a plain turn has is its role; other fields are absent from all of them alike.
            return field is not None and (field != "content" or _is_written(above))
    elif isinstance(node, nodes.Name) and node.ctx == "load":
        if node.name == "messages":
            return _is_looked_through(above)
        if node.name == "loop":
            return isinstance(above[-1], (nodes.Getattr, nodes.Getitem))
        return node.name not in names
    return all(_allows(child, (*above, node), names) for child in node.iter_child_nodes())


def _field(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _is_one_message(node: nodes.Node, names: set[str]) -> bool:
    """Say whether the node is the message of a loop, or one of the list by its number."""
    if isinstance(node, nodes.Name):
        return node.name in names
    if not isinstance(node, nodes.Getitem) or not isinstance(node.node, nodes.Name) or node.node.name != "messages":
        return False
    number = node.arg.node if isinstance(node.arg, nodes.Neg) else node.arg
    return isinstance(number, nodes.Const) and isinstance(number.value, int)


def _is_looked_through(above: tuple[nodes.Node, ...]) -> bool:
    """Say whether the list of messages is only looped over or counted."""
    parent = above[-1]
    if isinstance(parent, nodes.Getitem) and isinstance(parent.arg, nodes.Slice) and len(above) > 1:
        parent = above[-2]
    return isinstance(parent, nodes.For) or (isinstance(parent, nodes.Filter) and parent.name == "length")


def _is_written(above: tuple[nodes.Node, ...]) -> bool:
    """Say whether a value is an operand of text that is written, and to no block that could change it."""
    place = len(above) - 1
    while place >= 0 and isinstance(above[place], (nodes.Add, nodes.Concat)):
        place -= 1
    if place < 0 or not isinstance(above[place], nodes.Output):
        return False
    return all(_passes_on(node) for node in above[:place])


def _passes_on(node: nodes.Node) -> bool:
    if isinstance(node, nodes.CallBlock):
        # The generation markers, which note where their text stands.
        return isinstance(node.call.node, nodes.ExtensionAttribute)
    return isinstance(node, (nodes.Template, nodes.For, nodes.If))
