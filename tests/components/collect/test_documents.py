"""Stage collect, documents: incremental, deletions honoured, nothing lost on bad input."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from components.adapters.sources import FolderReader, GitReader
from components.collect import core
from components.runtime.context import Context
from components.shared.config import load
from components.shared.config.llm import FolderSource, GitSource
from components.shared.errors import ConfigError, DataError


def context(folder: Path) -> Context:
    return Context(load(folder / "twinstack.yaml"), "docs", "collect")


def paths(found: Context) -> list[str]:
    return [one["path"] for one in found.stores.warehouse.scan("documents", twin="docs")]


def test_every_document_is_collected_once(corpus: Path) -> None:
    made = core.run(context(corpus))
    assert made.facts["documents"] == made.facts["added_or_changed"] == 3
    assert paths(context(corpus)) == ["one.md", "three.md", "two.md"]


def test_a_second_run_reads_nothing_and_says_so(corpus: Path) -> None:
    first, second = core.run(context(corpus)), core.run(context(corpus))
    assert second.skipped
    assert second.version == first.version


def test_a_changed_and_a_deleted_document_are_followed(corpus: Path) -> None:
    first = core.run(context(corpus))
    (corpus / "docs/one.md").write_text("# Canary\n\nAnother text.\n")
    (corpus / "docs/two.md").unlink()
    second = core.run(context(corpus))
    assert (second.facts["added_or_changed"], second.facts["deleted"]) == (1, 1)
    assert second.version != first.version
    assert paths(context(corpus)) == ["one.md", "three.md"]


def test_going_back_to_an_earlier_state_brings_the_warehouse_back(corpus: Path) -> None:
    before = (corpus / "docs/one.md").read_text()
    first = core.run(context(corpus))
    (corpus / "docs/one.md").write_text("changed")
    core.run(context(corpus))
    (corpus / "docs/one.md").write_text(before)
    assert core.run(context(corpus)).version == first.version
    stored = context(corpus).stores.warehouse.get("documents", "docs/0-folder/one.md")
    assert stored is not None
    assert stored["text"] == before


def test_a_file_that_is_not_utf8_is_named_and_nothing_is_lost(corpus: Path) -> None:
    core.run(context(corpus))
    (corpus / "docs/one.md").write_bytes(b"# Caf\xe9\n")
    with pytest.raises(DataError, match=r"one\.md: not UTF-8: byte 0xe9 at offset 5.*max_rejected"):
        core.run(context(corpus))
    assert len(paths(context(corpus))) == 3


def test_a_file_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    reader = FolderReader(tmp_path, FolderSource(type="folder", path=".", include=("*.md",)))
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "w") as file:  # noqa: PTH123 - a path of bytes
        file.write("text")
    with pytest.raises(DataError, match=r"'caf\\udce9\.md' is not UTF-8.*rename it"):
        reader.entries()


def test_a_file_that_goes_away_meanwhile_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("text")
    reader = FolderReader(tmp_path, FolderSource(type="folder", path=".", include=("*.md",)))
    (found,) = reader.entries()
    (tmp_path / "one.md").unlink()
    with pytest.raises(DataError, match=r"cannot read one\.md: No such file.*nothing was collected"):
        list(reader.read([found.path]))


def test_a_file_of_50_mb_is_refused_by_size(corpus: Path) -> None:
    core.run(context(corpus))
    with (corpus / "docs/big.md").open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(DataError, match=r"big\.md: 50000000 bytes, more than max_bytes 1000000"):
        core.run(context(corpus))
    assert len(paths(context(corpus))) == 3


def test_bad_documents_are_set_aside_where_that_is_allowed(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (corpus / "docs/bad.md").write_bytes(b"\xff\xfe")
    text = (corpus / "twinstack.yaml").read_text().replace("path: docs,", "path: docs, max_rejected: 0.5,")
    (corpus / "twinstack.yaml").write_text(text)
    made = core.run(context(corpus))
    assert (made.facts["documents"], made.facts["rejected"]) == (3, 1)
    assert context(corpus).stores.warehouse.count("rejected", twin="docs") == 1


def test_an_empty_corpus_is_an_error(corpus: Path) -> None:
    for path in (corpus / "docs").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"the corpus is empty.*include"):
        core.run(context(corpus))


def test_a_folder_that_does_not_exist_is_named(corpus: Path) -> None:
    text = (corpus / "twinstack.yaml").read_text().replace("path: docs,", "path: nowhere,")
    (corpus / "twinstack.yaml").write_text(text)
    with pytest.raises(DataError, match="nowhere"):
        core.run(context(corpus))


@pytest.fixture
def behind_a_url(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The corpus as a repository that only a URL leads to, from a project that is no checkout."""
    here, there = tmp_path / "pod", "https://git.example.org/team/docs.git"
    shutil.copytree(corpus, here, ignore=shutil.ignore_patterns(".git", "docs"))
    text = (here / "twinstack.yaml").read_text()
    source = f"type: git, url: '{there}', path: ./docs"
    (here / "twinstack.yaml").write_text(text.replace("type: folder, path: docs", source))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{corpus}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", there)
    return here


def test_a_repository_behind_a_url_is_fetched_and_followed(corpus: Path, behind_a_url: Path) -> None:
    first = core.run(context(behind_a_url))
    assert paths(context(behind_a_url)) == ["one.md", "three.md", "two.md"]
    assert "git:https://git.example.org/team/docs.git#./docs@" in first.text("revisions")
    (corpus / "docs/two.md").write_text("# Other\n\nNew text.\n")
    git = ["git", "-C", str(corpus), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "commit", "-qam", "next"], check=True)
    assert core.run(context(behind_a_url)).facts["added_or_changed"] == 1


@pytest.mark.parametrize("words", ["ref: no-such", "path: no-such"])
def test_what_a_repository_does_not_have_is_named(behind_a_url: Path, words: str) -> None:
    text = (behind_a_url / "twinstack.yaml").read_text()
    wanted = text.replace("path: ./docs", f"path: ./docs, {words}" if "ref" in words else words)
    (behind_a_url / "twinstack.yaml").write_text(wanted)
    with pytest.raises(DataError, match=r"git \S+ failed: .*https://git.example.org.*no-such"):
        core.run(context(behind_a_url))


def test_a_server_that_is_not_there_is_named(behind_a_url: Path) -> None:
    text = (behind_a_url / "twinstack.yaml").read_text()
    (behind_a_url / "twinstack.yaml").write_text(text.replace("git.example.org", "127.0.0.1:9"))
    with pytest.raises(DataError, match=r"git fetch failed: .*127\.0\.0\.1"):
        core.run(context(behind_a_url))


def test_a_folder_inside_a_checkout_is_read_by_names_of_its_own(corpus: Path) -> None:
    text = (
        (corpus / "twinstack.yaml").read_text().replace("type: folder, path: docs", "type: git, path: docs")
    )
    (corpus / "twinstack.yaml").write_text(text)
    assert core.run(context(corpus)).facts["documents"] == 3
    assert paths(context(corpus)) == ["one.md", "three.md", "two.md"]


def test_the_git_source_reads_the_commit_and_not_the_working_tree(corpus: Path) -> None:
    text = (corpus / "twinstack.yaml").read_text().replace("type: folder, path: docs", "type: git, path: .")
    (corpus / "twinstack.yaml").write_text(text)
    (corpus / "docs/new.md").write_text("not committed")
    core.run(context(corpus))
    assert paths(context(corpus)) == ["docs/one.md", "docs/three.md", "docs/two.md", "prompt.md"]


def test_a_path_with_a_line_break_is_a_path_in_git_too(corpus: Path) -> None:
    (corpus / "docs/two\nlines.md").write_text("# Broken\n\nIts name is on two lines.\n")
    git = ["git", "-C", str(corpus), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "odd"], check=True)
    reader = GitReader(corpus, GitSource(type="git", path=".", include=("docs/*.md",)))
    read = dict(reader.read([one.path for one in reader.entries()]))
    assert read["docs/two\nlines.md"].endswith(b"on two lines.\n")
    assert len(read) == 4


def test_a_ref_that_looks_like_an_option_is_refused(corpus: Path) -> None:
    text = (corpus / "twinstack.yaml").read_text()
    text = text.replace("type: folder, path: docs", "type: git, path: ., ref: --upload-pack=x")
    (corpus / "twinstack.yaml").write_text(text)
    with pytest.raises(ConfigError, match="ref"):
        context(corpus)


def test_a_document_that_git_lost_is_named(corpus: Path) -> None:
    reader = GitReader(corpus, GitSource(type="git", path=".", include=("docs/one.md",)))
    blob = reader.entries()[0].digest
    (corpus / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(DataError, match=r"docs/one\.md"):
        list(reader.read(["docs/one.md"]))
