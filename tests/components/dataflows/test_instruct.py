"""Instruction examples: questions from headings and names, answers that stand in the text."""

import pytest

from components.dataflows import instruct
from components.dataflows.instruct import Example

MARKDOWN = """# Canary releases

A canary gets five percent of the traffic.
The judge looks at it after an hour.

```
# not a heading
```

## What is a shadow?

- a list is left out

A shadow gets a copy of every request.

## Short

Too short.
"""

PYTHON = '''"""Module docstrings name no subject."""


def accept(line):
    """Write a line and force it to the disk.

    Args:
        line: Left out.
    """


def _hidden():
    """Nobody asks about what is private."""
'''


def test_headings_ask_and_the_paragraph_below_answers() -> None:
    first, second = instruct.examples("d", "a.md", MARKDOWN, 600)
    assert "Canary releases" in first.question
    assert first.answer == "A canary gets five percent of the traffic. The judge looks at it after an hour."
    assert second.question == "What is a shadow?"
    assert second.answer == "A shadow gets a copy of every request."


def test_names_ask_and_docstrings_answer() -> None:
    (one,) = instruct.examples("d", "a.py", PYTHON, 600)
    assert "`accept`" in one.question
    assert one.answer == "Write a line and force it to the disk."


def test_an_answer_ends_with_a_sentence_that_fits() -> None:
    (first, _) = instruct.examples("d", "a.md", MARKDOWN, 60)
    assert first.answer == "A canary gets five percent of the traffic."
    assert len(instruct.shortened("word " * 100, 50)) == 50


@pytest.mark.parametrize("text", ["def f(:", "x = " + "-" * 200_000 + "1", "\0"])
def test_python_that_does_not_parse_gives_no_example(text: str) -> None:
    assert instruct.examples("d", "a.py", text, 600) == []


def test_what_is_held_out_is_trained_on_nowhere() -> None:
    found = [Example(f"d{at}", "p", f"q{at}", f"answer {at % 40}") for at in range(400)]
    train, kept = instruct.disjoint(found, instruct.hidden((one.document for one in found), 0.1))
    assert kept and train
    assert not {one.document for one in train} & {one.document for one in kept}
    assert not {one.answer for one in train} & {one.answer for one in kept}


def test_a_share_of_documents_is_held_out_whatever_else_there_is() -> None:
    held = [instruct.held_out(f"document {at}", 0.1) for at in range(5_000)]
    assert 0.08 < sum(held) / 5_000 < 0.12
    assert held == [instruct.held_out(f"document {at}", 0.1) for at in range(5_000)]


def test_a_small_corpus_holds_one_document_out() -> None:
    names = [name for name in (f"document {at}" for at in range(50)) if not instruct.held_out(name, 0.1)][:3]
    held = instruct.hidden(names, 0.1)
    assert len(held) == 1
    assert instruct.hidden(reversed(names), 0.1) == held
