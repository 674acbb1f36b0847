"""Stage validate, documents: frozen with their text, empty ones left out."""

from pathlib import Path

import pandas as pd
import pytest

from components.collect import core as collect
from components.runtime.context import Context
from components.shared.config import load
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.validate import core


def validated(folder: Path) -> Manifest:
    config = load(folder / "twinstack.yaml")
    collected = collect.run(Context(config, "docs", "collect"))
    return core.run(Context(config, "docs", "validate"), collected)


def test_documents_are_frozen_with_their_text(corpus: Path) -> None:
    frame = pd.read_parquet(validated(corpus).folder / "documents.parquet")
    assert list(frame.columns) == ["id", "path", "digest", "text"]
    assert frame["path"].tolist() == ["one.md", "three.md", "two.md"]
    assert "small share" in frame["text"][0]


def test_an_empty_document_is_left_out_and_counted(corpus: Path) -> None:
    (corpus / "docs/empty.md").write_text(" \n")
    made = validated(corpus)
    assert (made.facts["documents"], made.facts["empty"]) == (3, 1)


def test_a_corpus_without_text_is_an_error(corpus: Path) -> None:
    for path in (corpus / "docs").iterdir():
        path.write_text("\n")
    with pytest.raises(DataError, match="the corpus has no text"):
        validated(corpus)


def test_a_source_that_is_no_longer_configured_leaves_nothing_behind(corpus: Path) -> None:
    text = (corpus / "twinstack.yaml").read_text()
    (corpus / "more").mkdir()
    (corpus / "more/four.md").write_text("# Four\n\nMore text.\n")
    (corpus / "more/bad.md").write_bytes(b"\xff\xfe")
    both = text.replace("path: docs,", "path: docs}, {type: folder, path: more, max_rejected: 0.5,")
    (corpus / "twinstack.yaml").write_text(both)
    assert validated(corpus).facts["documents"] == 4
    (corpus / "twinstack.yaml").write_text(text)
    config = load(corpus / "twinstack.yaml")
    collected = collect.run(Context(config, "docs", "collect"))
    assert (collected.facts["documents"], collected.facts["deleted"]) == (3, 1)
    assert core.run(Context(config, "docs", "validate"), collected).facts["documents"] == 3
    assert Context(config, "docs", "validate").stores.warehouse.count("rejected", twin="docs") == 0
