"""Stage embed on a small corpus with the real model and the real index."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from components.adapters.encoder import Encoder
from components.adapters.vectors.embedded import EmbeddedVectors
from components.collect import core as collect
from components.embed import core
from components.runtime.context import Context
from components.runtime.retriever import Retriever
from components.shared.config import Config, load
from components.shared.errors import ConfigError
from components.shared.manifests import Manifest
from components.validate import core as validate
from tests.components.samples import llm_twin

DOCUMENTS = {
    "canary.md": "# Canary\n\nA canary release gets five percent of all requests.\n\n## Judge\n\n"
    "The judge compares error rates of canary and champion.\n",
    "scorecard.md": "# Scorecard\n\nSix hundred points mean thirty good applicants for each bad one.\n",
    "spool.py": '"""Append-only file."""\n\n\ndef accept(line):\n    """Force a line to disk."""\n',
    "plain.txt": "Backups are made every night at three o'clock and kept for ninety days.\n",
}


def project(folder: Path) -> Config:
    """A twin over a folder of documents."""
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for name, text in DOCUMENTS.items():
        (folder / "corpus" / name).write_text(text, encoding="utf-8")
    twin = {
        "kind": "llm",
        "sources": [{"type": "folder", "path": "corpus", "include": ["*"]}],
        "prompt": "prompt.md",
        "questions": {"path": "questions.yaml"},
        "gate": {"rules": [{"metric": "recall_at_5", "at_least": 0.5}]},
    }
    (folder / "twinstack.yaml").write_text(yaml.safe_dump({"twins": {"notes": twin}}), encoding="utf-8")
    config = load(folder / "twinstack.yaml")
    return config.model_copy(update={"state": str(folder / "state")})


def stages(config: Config) -> Manifest:
    """Stages collect and validate, then embed."""
    collected = collect.run(Context(config, "notes", "collect"))
    validated = validate.run(Context(config, "notes", "validate"), collected=collected)
    return core.run(Context(config, "notes", "embed"), validated=validated)


@cache
def encoder() -> Encoder:
    return Encoder(llm_twin(load(Path(__file__).resolve().parents[3] / "twinstack.yaml")).encoder)


def best(config: Config, version: str, question: str) -> str:
    index = Context(config, "notes", "test").stores.vectors.open("notes", version)
    found = Retriever(encoder(), index, llm_twin(config, "notes").retrieval).search(question, 1)
    index.close()
    return found[0].path


def test_shapes_types_and_facts_of_what_it_leaves(tmp_path: Path) -> None:
    config = project(tmp_path)
    made = stages(config)
    table = pq.read_table(made.folder / "chunks.parquet")
    kinds = {field.name: str(field.type) for field in table.schema}
    texts = dict.fromkeys(("chunk_id", "document_id", "path", "heading", "text"), "string")
    assert kinds == {**texts, "tokens": "int64", "start": "int64", "end": "int64"}
    rows = table.to_pylist()
    assert len({row["chunk_id"] for row in rows}) == len(rows) == made.number("chunks")
    assert made.number("documents") == len(DOCUMENTS)
    assert made.number("embedded") == len(rows) and made.number("reused") == 0
    assert made.text("index_version") == made.version
    vectors = Context(config, "notes", "test").stores.vectors
    assert vectors.count("notes", made.version) == len(rows)
    assert vectors.current("notes") == made.version


def test_a_sentence_finds_its_document(tmp_path: Path) -> None:
    config = project(tmp_path)
    made = stages(config)
    for name, text in DOCUMENTS.items():
        assert best(config, made.version, text.strip().split("\n")[-1]) == name
    assert best(config, made.version, "How long are backups kept?") == "plain.txt"


def test_a_re_run_equals_a_run_and_embeds_nothing(tmp_path: Path) -> None:
    config = project(tmp_path / "one")
    first = stages(config)
    again = stages(config)
    assert again.skipped and again.version == first.version
    other = stages(project(tmp_path / "two"))
    assert not other.skipped and other.version == first.version


def test_only_what_changed_is_embedded_and_the_old_version_stays(tmp_path: Path) -> None:
    config = project(tmp_path)
    first = stages(config)
    (tmp_path / "corpus/plain.txt").write_text("Backups are kept for ten years.\n", encoding="utf-8")
    second = stages(config)
    assert second.version != first.version
    assert second.number("embedded") == 1
    assert second.number("reused") == second.number("chunks") - 1
    vectors = Context(config, "notes", "test").stores.vectors
    assert vectors.current("notes") == second.version and vectors.exists("notes", first.version)
    (tmp_path / "corpus/plain.txt").unlink()
    third = stages(config)
    assert third.number("embedded") == 0 and third.number("chunks") == second.number("chunks") - 1
    assert best(config, third.version, "How long are backups kept?") != "plain.txt"


def test_an_emptied_vector_store_is_filled_again_without_embedding(tmp_path: Path) -> None:
    config = project(tmp_path)
    first = stages(config)
    shutil.rmtree(tmp_path / "state/vectors")
    again = stages(config)
    assert again.skipped and again.version == first.version
    assert best(config, again.version, "How long are backups kept?") == "plain.txt"


@pytest.mark.parametrize("point", ["after-index", "before-commit", "before-flip"])
def test_a_killed_run_leaves_the_old_version_and_is_finished_by_the_next(tmp_path: Path, point: str) -> None:
    config = project(tmp_path)
    first = stages(config)
    (tmp_path / "corpus/new.md").write_text(
        "# New\n\nA shadow gets a copy of the traffic.\n", encoding="utf-8"
    )
    collected = collect.run(Context(config, "notes", "collect"))
    validate.run(Context(config, "notes", "validate"), collected=collected)
    words = [
        sys.executable,
        "-m",
        "components.embed",
        "--twin",
        "notes",
        "--config",
        str(tmp_path / "twinstack.yaml"),
    ]
    variables = {"TWINSTACK_STATE": str(tmp_path / "state"), "TWINSTACK_CRASH_AT": f"embed:{point}"}
    killed = subprocess.run(
        words,
        env={**os.environ, **variables},
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    vectors = EmbeddedVectors(tmp_path / "state/vectors")
    assert vectors.current("notes") == first.version
    assert best(config, first.version, "How long are backups kept?") == "plain.txt"
    finished = stages(config)
    assert vectors.current("notes") == finished.version
    assert vectors.count("notes", finished.version) == first.number("chunks") + 1
    clean = project(tmp_path / "clean")
    (tmp_path / "clean/corpus/new.md").write_text(
        "# New\n\nA shadow gets a copy of the traffic.\n", encoding="utf-8"
    )
    assert stages(clean).version == finished.version


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    config = project(tmp_path)
    twin = llm_twin(config, "notes")
    wrong = twin.model_copy(update={"encoder": twin.encoder.model_copy(update={"model": "/no/such"})})
    with pytest.raises(ConfigError, match=r"encoder\.model is '/no/such'"):
        stages(config.model_copy(update={"twins": {"notes": wrong}}))


def test_the_end_of_a_name_says_how_a_document_is_cut() -> None:
    names = ("a.md", "a.markdown", "a.py", "Makefile")
    assert [core.media_of(name) for name in names] == ["markdown", "markdown", "python", "text"]
