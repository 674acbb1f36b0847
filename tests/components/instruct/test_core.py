"""Stage instruct: parts of a dataset that do not meet, with contexts that hold their answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.collect import core as collect
from components.dataflows import instruct
from components.embed import core as embed
from components.instruct import core
from components.runtime.context import Context
from components.shared.config import Config, load
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from components.validate import core as validate

THINGS = ("canary", "shadow", "champion", "fallback", "gate", "index", "prompt", "release", "spool", "window")


def project(folder: Path, things: tuple[str, ...] = THINGS) -> Config:
    """A twin over one Markdown document a thing, and modules that say the same."""
    (folder / "corpus").mkdir(parents=True)
    for at, name in enumerate(things):
        text = f"# The {name}\n\nThe {name} has the number {at} and is kept for {at + 7} days.\n"
        (folder / f"corpus/{name}.md").write_text(text, encoding="utf-8")
        module = f'def {name}_of(x):\n    """The one thing that every module here says of itself."""\n'
        (folder / f"corpus/{name}.py").write_text(module, encoding="utf-8")
    (folder / "prompt.md").write_text("Answer.\n\nExcerpts:\n{context}\n", encoding="utf-8")
    twin = {
        "kind": "llm",
        "sources": [{"type": "folder", "path": "corpus", "include": ["*"]}],
        "prompt": "prompt.md",
        "questions": {"path": "questions.yaml"},
        "instruct": {"held_out": 0.3, "with_context": 0.7},
        "gate": {"rules": [{"metric": "recall_at_5", "at_least": 0.5}]},
    }
    (folder / "twinstack.yaml").write_text(json.dumps({"twins": {"notes": twin}}), encoding="utf-8")
    return load(folder / "twinstack.yaml").model_copy(update={"state": str(folder / "state")})


def stages(config: Config) -> Manifest:
    collected = collect.run(Context(config, "notes", "collect"))
    validated = validate.run(Context(config, "notes", "validate"), collected=collected)
    features = embed.run(Context(config, "notes", "embed"), validated=validated)
    return core.run(Context(config, "notes", "instruct"), validated=validated, features=features)


def read(made: Manifest, part: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (made.folder / f"{part}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return stages(project(tmp_path_factory.mktemp("instruct")))


def test_parts_share_no_document_and_no_answer(made: Manifest) -> None:
    train, held_out = (read(made, part) for part in core.PARTS)
    assert (len(train), len(held_out)) == (made.number("examples"), made.number("held_out"))
    assert not {one["document"] for one in train} & {one["document"] for one in held_out}

    def answers(part: list[dict[str, Any]]) -> set[str]:
        return {re.sub(r" \[\d+\]$", "", one["messages"][-1]["content"]) for one in part}

    assert not answers(train) & answers(held_out)


def test_a_training_prompt_shows_no_held_out_document(made: Manifest) -> None:
    hidden = {one["document"].split("/", 2)[-1] for one in read(made, "held_out")}
    shown = {
        document
        for one in read(made, "train")
        for document in re.findall(r"^\[\d+\] (\S+)", one["messages"][0]["content"], re.MULTILINE)
    }
    assert hidden and shown
    assert not hidden & shown


def test_a_context_holds_the_answer_where_the_answer_cites_it(made: Manifest) -> None:
    seen = {"bare": 0, "context": 0}
    for part in core.PARTS:
        for one in read(made, part):
            *before, answer = one["messages"]
            assert answer["role"] == "assistant" and before[-1]["role"] == "user"
            if len(before) == 1:
                seen["bare"] += 1
                continue
            seen["context"] += 1
            assert before[0]["role"] == "system" and "Answer from" in before[0]["content"]
            cited = re.fullmatch(r"(.*) \[(\d+)\]", answer["content"])
            assert cited is not None
            said, number = cited.groups()
            excerpts = re.split(r"\n\n(?=\[\d+\] )", before[0]["content"].split("Excerpts:\n", 1)[1])
            assert said in excerpts[int(number) - 1]
    assert min(seen.values()) > 0, seen


def test_the_same_corpus_gives_the_same_dataset(made: Manifest, tmp_path: Path) -> None:
    again = stages(project(tmp_path))
    assert not again.skipped and again.version == made.version


def test_another_prompt_of_the_twin_needs_no_other_dataset(made: Manifest, tmp_path: Path) -> None:
    config = project(tmp_path)
    (tmp_path / "prompt.md").write_text("Be brief. {context}", encoding="utf-8")
    assert stages(config).version == made.version
    (tmp_path / "prompt.md").write_text("Be long. {context}", encoding="utf-8")
    assert stages(config).skipped
    own = config.model_dump(mode="json")
    own["twins"]["notes"]["instruct"]["prompt"] = "prompt.md"
    assert stages(type(config)(**own)).version != made.version


def test_a_small_corpus_still_holds_something_out(tmp_path: Path) -> None:
    trained = tuple(
        name
        for name in THINGS
        if not any(instruct.held_out(f"notes/0-folder/{name}.{end}", 0.3) for end in ("md", "py"))
    )
    assert trained
    made = stages(project(tmp_path, trained))
    assert made.number("examples") > 0
    assert made.number("held_out") > 0


def test_a_corpus_of_one_document_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path, THINGS[:1])
    pages = sorted((tmp_path).rglob("*.py"))
    for page in pages:
        page.unlink()
    with pytest.raises(DataError, match="gives no example for part 'train'"):
        stages(folder)
