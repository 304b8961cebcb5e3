"""The demo's data: real, plenty, and made without running a line of the library."""

import json
from pathlib import Path

from studio.demo.docstring_pairs import Pair, docstring_pairs, write_pairs


def test_that_the_running_python_gives_thousands_of_distinct_pairs() -> None:
    pairs = docstring_pairs()
    assert len(pairs) > 2000
    assert len({pair.question for pair in pairs}) == len(pairs)
    assert Pair("What does `queue.Queue.get` do in Python?", "Remove and return an item from the queue.") in pairs


def test_that_files_are_parsed_and_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "it_ran"
    (tmp_path / "loud.py").write_text(
        f'"""A module that writes a file when it is imported."""\nopen({str(marker)!r}, "w")\n', encoding="utf-8"
    )
    assert [pair.question for pair in docstring_pairs(tmp_path)] == ["What is the Python module `loud` for?"]
    assert not marker.exists()


def test_that_private_names_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    (tmp_path / "latin.py").write_bytes(b'"""caf\xe9 is a word of four letters in Latin-1."""')
    (tmp_path / "good.py").write_text(
        'class _Hidden:\n    """This class is hidden from everybody."""\n\n'
        'def shown():\n    """Return something that\n    is shown.\n\n    More text.\n    """\n',
        encoding="utf-8",
    )
    assert docstring_pairs(tmp_path) == [
        Pair("What does `good.shown` do in Python?", "Return something that is shown.")
    ]


def test_that_written_rows_are_alpaca(tmp_path: Path) -> None:
    write_pairs([Pair("q", "a"), Pair("r", "b")], tmp_path / "pairs.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [{"instruction": "q", "input": "", "output": "a"}, {"instruction": "r", "input": "", "output": "b"}]
