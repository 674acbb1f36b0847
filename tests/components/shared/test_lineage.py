"""Provenance: uncommitted code is refused unless it is allowed, and then it shows."""

from pathlib import Path

import pytest

from components.shared import lineage
from components.shared.errors import LineageError


def test_a_clean_checkout_gives_its_commit(corpus: Path) -> None:
    found = lineage.require_committed(corpus, allow_dirty=False)
    assert len(found.commit) == 40
    assert not found.dirty


def test_uncommitted_code_is_refused_by_name(corpus: Path) -> None:
    (corpus / "features.py").write_text("x = 1\n")
    with pytest.raises(LineageError, match=r"1 uncommitted changes: features\.py.*--allow-dirty"):
        lineage.require_committed(corpus, allow_dirty=False)


def test_allowed_it_is_marked(corpus: Path) -> None:
    (corpus / "features.py").write_text("x = 1\n")
    assert lineage.require_committed(corpus, allow_dirty=True).dirty


def test_a_folder_without_git_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(lineage.COMMIT_VARIABLE, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(LineageError, match="has no commit"):
        lineage.code(tmp_path)


def test_an_image_knows_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lineage.COMMIT_VARIABLE, "abc")
    assert lineage.code(tmp_path) == lineage.Code(commit="abc", dirty=False)
