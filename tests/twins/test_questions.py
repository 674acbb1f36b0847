"""The evaluation set of the docs twin: its documents exist, are in the corpus, and hold the answers."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from components.adapters.sources import matcher
from components.shared.config import LlmTwin, load
from tests.components.samples import llm_twin

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = yaml.safe_load((ROOT / "twins/docs/questions.yaml").read_text(encoding="utf-8"))
COMMON = frozenset(
    re.findall(
        r"\w+",
        """a an and are as at be because but by do does for from has in is it its no not of on one or so than
        that the then there they this to was were what when which while with would""",
    )
)
#: Share of an answer's content words that its document has to hold.
HELD = 0.6


def words(text: str) -> set[str]:
    """Content words: names, numbers and terms, without the case and without the commonest words."""
    return set(re.findall(r"[a-z0-9_]+(?:[.,-][a-z0-9_]+)*", text.lower())) - COMMON


@pytest.fixture(scope="module")
def twin() -> LlmTwin:
    return llm_twin(load(ROOT / "twinstack.yaml"))


def test_there_are_enough_and_none_twice() -> None:
    assert len(QUESTIONS) >= 64
    again = [
        one for one, times in Counter(found["question"].lower() for found in QUESTIONS).items() if times > 1
    ]
    assert again == []


def test_many_documents_are_asked_about() -> None:
    asked = Counter(one["document"] for one in QUESTIONS)
    assert len(asked) >= 25
    assert max(asked.values()) <= 8
    assert sum(path.endswith(".py") for path in asked) >= 5


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one["question"][:60])
class TestQuestion:
    def test_has_three_texts_and_a_short_answer(self, one: dict[str, str]) -> None:
        assert set(one) == {"question", "answer", "document"}
        assert all(isinstance(text, str) and text.strip() == text and text for text in one.values())
        assert len(one["answer"].split()) <= 25

    def test_its_document_is_in_the_corpus(self, one: dict[str, str], twin: LlmTwin) -> None:
        assert (ROOT / one["document"]).is_file()
        assert any(matcher(source).match_file(one["document"]) for source in twin.sources)
        committed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--error-unmatch", one["document"]],
                                   capture_output=True, check=False)  # fmt: skip
        assert committed.returncode == 0, "a git source sees committed files only"

    def test_its_document_holds_the_answer(self, one: dict[str, str]) -> None:
        wanted = words(one["answer"])
        held = wanted & words((ROOT / one["document"]).read_text(encoding="utf-8"))
        assert wanted, "an answer of common words alone proves nothing"
        assert len(held) >= HELD * len(wanted), f"not in {one['document']}: {sorted(wanted - held)}"
