"""One contract for every vector store: versions are whole or not there, the alias flips at once.

Milvus Lite is real; a Milvus server is stood in for by Milvus Lite's own gRPC server, the same protocol on
the engine of Milvus Lite. What only a process's own files can show is tested for Milvus Lite alone.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from components.adapters.vectors.contract import Entry, Vectors
from components.adapters.vectors.embedded import EmbeddedVectors
from components.adapters.vectors.server import ServerVectors, VectorStoreError
from components.shared.errors import DataError, MissingError
from tests import servers
from tests.conftest import free_port

TEXTS = ("the canary gets a share", "the shadow gets a copy", "rollback names the champion of before")


def entries(*texts: str) -> list[Entry]:
    """Each text with an own axis as its vector."""
    axes = np.eye(8, dtype=np.float32)
    return [Entry(f"c{at}", f"{at}.md", "Head", text, axes[at]) for at, text in enumerate(texts)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.milvus(tmp_path_factory.mktemp("milvus") / "server") as uri:
        yield uri


@pytest.fixture(params=["embedded", "server"])
def vectors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vectors]:
    if request.param == "embedded":
        yield EmbeddedVectors(tmp_path)
        return
    made = ServerVectors(request.getfixturevalue("server"))
    for name in made._client.list_collections():  # what the test before left
        for alias in made._client.list_aliases(name)["aliases"]:
            made._client.drop_alias(alias)
        made._client.drop_collection(name)
    yield made
    made.close()


def test_dense_search_finds_the_nearest_first(vectors: Vectors) -> None:
    assert vectors.create("docs", "v1", [entries(*TEXTS)]) == 3
    index = vectors.open("docs", "v1")
    asked = np.array([0, 0.8, 0.6, 0, 0, 0, 0, 0], dtype=np.float32)
    first, second, third = index.dense(asked, 3)
    index.close()
    assert (first.chunk_id, first.path, first.heading, first.text) == ("c1", "1.md", "Head", TEXTS[1])
    assert [first.score, second.score, third.score] == pytest.approx([0.8, 0.6, 0], abs=1e-5)


def test_bm25_is_larger_for_the_better_and_sees_path_and_heading(vectors: Vectors) -> None:
    vectors.create("docs", "v1", [entries(*TEXTS)])
    index = vectors.open("docs", "v1")
    found = index.sparse("rollback champion", 3)
    by_heading = index.sparse("Head", 3)
    index.close()
    assert found[0].chunk_id == "c2" and found[0].score > 0
    assert found == sorted(found, key=lambda one: -one.score)
    assert len(by_heading) == 3


def test_batches_make_one_index_and_texts_are_cut_to_what_milvus_stores(vectors: Vectors) -> None:
    many = entries("ä" * 60_000, *TEXTS)
    assert vectors.create("docs", "v1", [many[:2], many[2:]]) == 4 == vectors.count("docs", "v1")
    index = vectors.open("docs", "v1")
    longest = index.dense(many[0].vector, 1)[0]
    index.close()
    assert len(longest.text.encode()) <= 65_535 and set(longest.text) == {"ä"}


def test_a_complete_version_is_left_as_it_is(vectors: Vectors) -> None:
    vectors.create("docs", "v1", [entries(*TEXTS)])

    def never() -> list[Entry]:
        raise AssertionError("must not be read")

    assert vectors.create("docs", "v1", (never() for _ in range(1))) == 3


def test_the_old_version_answers_while_a_new_one_is_built(vectors: Vectors) -> None:
    vectors.create("docs", "v1", [entries(*TEXTS)])
    vectors.flip("docs", "v1")
    seen = []

    def slowly() -> Iterator[list[Entry]]:
        for one in entries(*TEXTS):
            index = vectors.open("docs", vectors.current("docs") or "")
            seen.append((vectors.exists("docs", "v2"), index.dense(one.vector, 1)[0].chunk_id))
            index.close()
            yield [one]

    vectors.create("docs", "v2", slowly())
    assert seen == [(False, "c0"), (False, "c1"), (False, "c2")]
    vectors.flip("docs", "v2")
    assert vectors.current("docs") == "v2"


def test_twins_do_not_see_each_other(vectors: Vectors) -> None:
    vectors.create("one", "v1", [entries(*TEXTS)])
    vectors.flip("one", "v1")
    assert vectors.current("two") is None and not vectors.exists("two", "v1")


@pytest.mark.parametrize("vectors", ["server"], indirect=True)
def test_what_a_killed_process_left_on_a_server_is_dropped(vectors: ServerVectors) -> None:
    def broken() -> Iterator[list[Entry]]:
        yield entries(*TEXTS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vectors.create("docs", "v1", broken())
    assert vectors._client.list_collections() == []
    vectors._client.create_collection("twin_docs__v1__left", dimension=8)
    assert vectors.create("docs", "v1", [entries(*TEXTS)]) == 3
    assert vectors._client.list_collections() == ["twin_docs__v1"]


def test_a_version_without_its_collection_is_missing(vectors: Vectors) -> None:
    with pytest.raises(MissingError, match="no index version 'v9'"):
        vectors.flip("docs", "v9")
    with pytest.raises(MissingError):
        vectors.open("docs", "v9")


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.adapters.vectors.server.PATIENCE", 1.0)
    with pytest.raises(VectorStoreError, match="Milvus refuses"):
        ServerVectors(f"http://127.0.0.1:{free_port()}").exists("docs", "v1")


KILLED = """
import os, signal, sys
from pathlib import Path
from components.adapters.vectors.embedded import EmbeddedVectors
from tests.components.adapters.test_vectors import TEXTS, entries
def batches():
    yield entries(*TEXTS)
    os.kill(os.getpid(), signal.SIGKILL)
EmbeddedVectors(Path(sys.argv[1])).create("docs", "v2", batches())
"""

READER = """
import sys
from pathlib import Path
from components.adapters.vectors.embedded import EmbeddedVectors
from tests.components.adapters.test_vectors import TEXTS, entries
index = EmbeddedVectors(Path(sys.argv[1])).open("docs", "v1")
print(index.dense(entries(*TEXTS)[2].vector, 1)[0].chunk_id)
index.close()
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[3])
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_a_killed_process_left_is_no_version_and_is_built_anew(tmp_path: Path) -> None:
    vectors = EmbeddedVectors(tmp_path)
    vectors.create("docs", "v1", [entries(*TEXTS)])
    vectors.flip("docs", "v1")
    assert python(KILLED, tmp_path).returncode == -signal.SIGKILL
    assert (tmp_path / "docs/v2").exists()
    assert not vectors.exists("docs", "v2") and vectors.current("docs") == "v1"
    with pytest.raises(MissingError, match="no index version 'v2'"):
        vectors.flip("docs", "v2")
    with pytest.raises(MissingError):
        vectors.open("docs", "v2")
    assert vectors.create("docs", "v2", [entries(*TEXTS)]) == 3
    index = vectors.open("docs", "v2")
    assert len(index.dense(entries(*TEXTS)[0].vector, 10)) == 3, "nothing is there twice"
    index.close()


def test_what_milvus_lite_may_write_after_closing_is_not_held_to_a_digest(tmp_path: Path) -> None:
    EmbeddedVectors(tmp_path).create("docs", "v1", [entries(*TEXTS)])
    names = [line.split()[1] for line in (tmp_path / "docs/v1/SHA256SUMS").read_text().splitlines()]
    assert {Path(name).suffix for name in names} == {".parquet", ".json"}
    assert {Path(name).name for name in names if name.endswith(".json")} == {"schema.json"}


def test_files_that_were_harmed_are_refused_by_name_and_the_version_is_built_anew(tmp_path: Path) -> None:
    vectors = EmbeddedVectors(tmp_path)
    vectors.create("docs", "v1", [entries(*TEXTS)])
    vectors.open("docs", "v1").close()
    database = tmp_path / "docs" / "v1" / "index.db"
    for harm in ("cut", "changed", "lost", "all"):
        largest = max(
            (one for one in database.rglob("*.parquet") if one.is_file()), key=lambda one: one.stat().st_size
        )
        content = largest.read_bytes()
        if harm == "cut":
            largest.write_bytes(content[:-1])
        elif harm == "changed":
            largest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        elif harm == "lost":
            largest.unlink()
        else:
            shutil.rmtree(database)
        with pytest.raises(DataError, match=r"'v1' was harmed .*index\.db/.*; run `twin run features"):
            vectors.open("docs", "v1")
        assert not vectors.exists("docs", "v1")
        assert vectors.create("docs", "v1", [entries(*TEXTS)]) == 3
        index = vectors.open("docs", "v1")
        assert len(index.sparse("canary", 3)) == 1
        index.close()


def test_two_processes_read_one_version_and_leave_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setenv("TMPDIR", str(copies))
    monkeypatch.setattr("tempfile.tempdir", None)
    vectors = EmbeddedVectors(tmp_path / "store")
    vectors.create("docs", "v1", [entries(*TEXTS)])
    index = vectors.open("docs", "v1")
    other = python(READER, tmp_path / "store")
    assert other.stdout.strip() == "c2", other.stderr
    assert index.dense(entries(*TEXTS)[1].vector, 1)[0].chunk_id == "c1"
    index.close()
    assert list(copies.glob("twinstack-index-*")) == []
