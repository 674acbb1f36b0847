"""Documents to chunks: nothing but white space is lost, sections end where headings say, pieces fit."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.dataflows import documents
from components.dataflows.documents import Chunk
from components.runtime.dataflow import Plan

REPOSITORY = Path(__file__).resolve().parents[3]
MEDIA = ("markdown", "python", "text")
PLANS = {media: Plan(documents, ["cleaned_text", "chunks"], {"media": media}) for media in MEDIA}
Offsets = Callable[[str], list[tuple[int, int]]]


def words(text: str) -> list[tuple[int, int]]:
    """A tokenizer that leaves characters out: what is neither letter nor digit belongs to no token."""
    return [found.span() for found in re.finditer(r"\w{1,6}", text)]


def cut(
    text: str, media: str, *, offsets: Offsets = words, size: int = 16, overlap: int = 4
) -> tuple[str, list[Chunk]]:
    made = PLANS[media].run({"text": text, "offsets": offsets, "max_tokens": size, "overlap_tokens": overlap})
    return made["cleaned_text"], made["chunks"]


def uncovered(cleaned: str, chunks: list[Chunk]) -> str:
    """Characters other than white space that no chunk holds."""
    held = [False] * len(cleaned)
    for chunk in chunks:
        held[chunk.start : chunk.end] = [True] * (chunk.end - chunk.start)
    return "".join(one for one, there in zip(cleaned, held, strict=True) if not there and not one.isspace())


LINES = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.sampled_from(
            [
                "# One",
                "## Two #",
                "###",
                "```",
                "~~~",
                "def f():",
                "    pass",
                "@wraps",
                "class C: pass",
                "'''",
                "# a",
            ]
        ),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(LINES, st.sampled_from(sorted(PLANS)), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 8))
def test_chunks_hold_every_character_and_keep_their_place(
    lines: list[str], media: str, end: str, overlap: int
) -> None:
    cleaned, chunks = cut(end.join(lines), media, overlap=overlap)
    assert uncovered(cleaned, chunks) == ""
    for chunk in chunks:
        assert cleaned[chunk.start : chunk.end] == chunk.text
        assert chunk.tokens <= 16
        assert chunk.text.strip()
    assert [one.start for one in chunks] == sorted(one.start for one in chunks)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_cleaning_twice_is_cleaning_once_and_keeps_the_words(text: str) -> None:
    cleaned = documents.cleaned_text(text)
    assert "\r" not in cleaned and "\0" not in cleaned
    assert documents.cleaned_text(cleaned) == cleaned or cleaned.startswith("\ufeff")
    kept = text.removeprefix("\ufeff").replace("\0", "")
    assert "".join(cleaned.split()) == "".join(kept.split())


@pytest.mark.parametrize(
    ("path", "media"),
    [("README.md", "markdown"), ("components/dataflows/documents.py", "python"), ("twinstack.yaml", "text")],
)
def test_real_documents_with_the_real_tokenizer(path: str, media: str) -> None:
    from components.adapters.encoder import Encoder
    from components.shared.config.llm import Encoder as Settings

    encoder = Encoder(Settings())
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    cleaned, chunks = cut(text, media, offsets=encoder.offsets, size=64, overlap=12)
    assert uncovered(cleaned, chunks) == ""
    assert len(chunks) > 5
    assert max(one.tokens for one in chunks) <= 64


def test_a_piece_repeats_the_end_of_the_one_before_within_its_section_only() -> None:
    _, chunks = cut("# A\n\n" + "alpha beta gamma delta " * 10 + "\n\n# B\n\nomega", "markdown")
    *within, last = chunks
    assert len(within) > 2
    for before, after in pairwise(within):
        assert after.start < before.end
        assert len(words(before.text[after.start - before.start :])) == 4
    assert last.text == "# B\n\nomega" and last.start == within[-1].end


def test_markdown_sections_carry_the_headings_above_them() -> None:
    text = "top\n# A\na\n## B\nb\n```\n# no heading\n```\n### C\nc\n## D\nd\n# E\ne"
    _, chunks = cut(text, "markdown", size=100)
    assert [one.heading for one in chunks] == ["", "A", "A > B", "A > B > C", "A > D", "E"]
    assert "# no heading" in chunks[2].text


def test_python_sections_are_functions_and_classes_with_their_decorators() -> None:
    text = '"""Head."""\nimport os\n\n@cache\ndef f():\n    return 1\n\nclass C:\n    def g(self): pass\n'
    _, chunks = cut(text, "python", size=100)
    assert [one.heading for one in chunks] == ["", "f", "C"]
    assert chunks[1].text.startswith("@cache\ndef f")
    assert "def g" in chunks[2].text


@pytest.mark.parametrize(
    "text", ["def f(:\n  x", "x = " + "-" * 200_000 + "1", "x = " + "(" * 500 + ")" * 500]
)
def test_python_that_does_not_parse_is_cut_as_text(text: str) -> None:
    cleaned, chunks = cut(text, "python")
    assert {one.heading for one in chunks} == {""}
    assert uncovered(cleaned, chunks) == ""


@pytest.mark.parametrize("media", sorted(PLANS))
@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff\r\n"])
def test_white_space_gives_no_chunk(text: str, media: str) -> None:
    assert cut(text, media)[1] == []
