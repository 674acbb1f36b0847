"""What was computed for an evaluation is not computed again, and never for another key."""

from pathlib import Path

import pytest

from components.evaluate import questions
from components.evaluate.variants import remembered
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import DataError

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    config = load(REPOSITORY / "twinstack.yaml").model_copy(update={"state": str(tmp_path)})
    return Context(config, "docs", "evaluate")


def test_the_same_key_is_worked_out_once(context: Context) -> None:
    calls = []

    def work() -> list[str]:
        calls.append(1)
        return ["ä", "b"]

    assert remembered(context, "answers", ["k", 1], work) == ["ä", "b"]
    assert remembered(context, "answers", ["k", 1], work) == ["ä", "b"]
    assert len(calls) == 1
    remembered(context, "answers", ["k", 2], work)
    remembered(context, "losses", ["k", 1], work)
    assert len(calls) == 3


def test_what_failed_is_not_remembered(context: Context) -> None:
    def fail() -> list[str]:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        remembered(context, "answers", ["k"], fail)
    assert remembered(context, "answers", ["k"], lambda: ["done"]) == ["done"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[]", "there are no questions"),
        ("- {question: Why so, answer: So}", "document"),
        ("- {question: Why so, answer: So, document: a, more: b}", "more"),
        ("a: [", "not YAML"),
        ("just text", "list"),
    ],
)
def test_a_broken_question_is_named(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=match):
        questions.read(path)


def test_a_missing_file_and_one_that_is_not_utf_8_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        questions.read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"- {question: W\xe4, answer: x, document: y}")
    with pytest.raises(DataError):
        questions.read(tmp_path / "latin.yaml")
