"""How the rows of one source are read: their shape, and each row as a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from remote_agent.contract.data_spec import ColumnsSpec, DataSpec, SourceSpec
from remote_agent.dataset.conversation import Conversation, Example, Shape
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.readers import Row
from remote_agent.dataset.shapes.builders import BUILDERS, Build
from remote_agent.dataset.shapes.detection import found_shape
from remote_agent.dataset.shapes.fields import check_text

__all__ = ["RowShape", "row_shape"]


class RowShape:
    """How rows of one source are read.

    Attributes:
        shape: its name, the reason, and the columns that are not read.
        columns: the column of each part, empty where the shape has no such part.
    """

    def __init__(self, shape: Shape, columns: ColumnsSpec, data: DataSpec) -> None:
        self.shape = shape
        self.columns = columns
        self._build = Build(columns, data)
        self._builder = BUILDERS[shape.name]

    def example(self, row: Row) -> Example:
        """Return the row with its conversation, or with the reason why it has none."""
        if row.problem:
            return Example(row, None, row.problem)
        try:
            return Example(row, self.conversation(row))
        except DataError as error:
            return Example(row, None, str(error))

    def conversation(self, row: Row) -> Conversation:
        """Return the row's conversation.

        Raises:
            DataError: a field is missing or no text, or a turn cannot be used; names file, line and what to do.
        """
        conversation = self._builder(row, self._build)
        for turn in conversation.turns:
            if not turn.content.isascii():
                check_text(row, turn.role, turn.content)
            if turn.extra:
                check_text(row, turn.role, dict(turn.extra))
        if conversation.tools:
            check_text(row, "system", list(conversation.tools))
        return conversation


def row_shape(first: Sequence[Row], source: SourceSpec, data: DataSpec) -> RowShape:
    """Return how the rows of a source are read, from its first rows.

    Raises:
        DataError: no row could be read, no shape fits, a column that is needed or named in the job is missing, or the
            class prompt cannot be filled in.
    """
    found = found_shape(first, source.shape, source.columns)
    if found.shape == "classification":
        _check_prompt(data)
    read = {name for name in vars(found.columns).values() if name}
    columns = dict.fromkeys(column for row in first for column in row.fields)
    unused = tuple(column for column in columns if column not in read)
    return RowShape(Shape(found.shape, found.reason, unused), found.columns, data)


def _check_prompt(data: DataSpec) -> None:
    if "{text}" not in data.classification_prompt:
        raise DataError("The class prompt lacks {text}, so the text whose class is learnt would not be seen. Add it.")
    if "{labels}" in data.classification_prompt and not data.label_names:
        raise DataError("The class prompt says {labels}, but no class names are given. Fill in data.label_names.")
