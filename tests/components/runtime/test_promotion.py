"""The registry's aliases follow what answers, also after somebody was killed between the two."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.adapters.stores import Stores
from components.runtime import champion, promotion
from components.shared.config import Config, load
from components.shared.config.llm import Answering
from components.shared.errors import NotFoundError
from components.shared.releases import Release
from tests.components.samples import release
from tests.conftest import free_port

#: `twin promote` or `twin rollback` in a process that dies where it would tell MLflow.
KILLED = """
import os, pathlib, signal, sys
from components.adapters.registry import Registry
from components.runtime import promotion
from components.shared.config import load

Registry.promote = lambda *words: os.kill(os.getpid(), signal.SIGKILL)
config, words = load(pathlib.Path(sys.argv[1])), sys.argv[3:]
getattr(promotion, sys.argv[2])(config, "docs", *words, print)
"""


def stored(config: Config, number: int) -> Release:
    """A release whose model and prompt are registered."""
    stores, folder = Stores(config), config.state_path / f"model-{number}"
    folder.mkdir(parents=True)
    registered = stores.registry.register(
        twin="docs", recipe=f"r{number}", folder=folder, params={}, metrics={}, tags={}
    )
    made = release(
        f"release-{number}",
        twin="docs",
        kind="llm",
        model_version=registered.version,
        prompt=f"Prompt {number}: {{context}}",
        answering=Answering(),
    )
    champion.store(stores.warehouse, made)
    return made


@pytest.fixture
def config(corpus: Path) -> Config:
    """Two releases of twin docs, the first of which answers."""
    found = load(corpus / "twinstack.yaml")
    for number in (1, 2):
        stored(found, number)
    promotion.promoted(found, "docs", "release-1", print)
    return found


def aliases(config: Config) -> tuple[str, str]:
    """Model version and prompt that carry the alias `champion`."""
    registry = Stores(config).registry
    model = registry.champion("docs")
    prompt = registry._client.get_prompt_version_by_alias("docs-prompt", "champion")
    assert model is not None
    return model.version, prompt.template


def killed(corpus: Path, *words: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(corpus / "twinstack.yaml"), *words], check=False)
    assert done.returncode == -9


def test_both_aliases_follow_a_promotion_and_a_rollback(config: Config) -> None:
    assert aliases(config) == ("1", "Prompt 1: {context}")
    promotion.promoted(config, "docs", "release-2", print)
    assert aliases(config) == ("2", "Prompt 2: {context}")
    promotion.rolled_back(config, "docs", print)
    assert aliases(config) == ("1", "Prompt 1: {context}")


def test_a_rollback_succeeds_and_says_so_while_the_tracking_server_is_away(config: Config) -> None:
    promotion.promoted(config, "docs", "release-2", print)
    there = {"stores": config.stores.model_copy(update={"tracking": f"http://127.0.0.1:{free_port()}"})}
    said: list[str] = []
    assert promotion.rolled_back(config.model_copy(update=there), "docs", said.append).id == "release-1"
    assert champion.require_traffic(Stores(config).warehouse, "docs").champion == "release-1"
    assert "the registry's aliases follow with the next run" in said[-1]
    promotion.follow(Stores(config), "docs")
    assert aliases(config) == ("1", "Prompt 1: {context}")


def test_whoever_comes_next_repairs_the_aliases_that_a_killed_process_left(
    config: Config, corpus: Path
) -> None:
    stores = Stores(config)
    killed(corpus, "promoted", "release-2")
    now = champion.require_traffic(stores.warehouse, "docs")
    assert (now.champion, aliases(config)[0]) == ("release-2", "1")
    promotion.promoted(config, "docs", "release-2", print)
    assert aliases(config) == ("2", "Prompt 2: {context}")

    killed(corpus, "rolled_back")
    now = champion.require_traffic(stores.warehouse, "docs")
    assert (now.champion, aliases(config)[0]) == ("release-1", "2")
    promotion.follow(stores, "docs")  # what stage release does in every run
    assert aliases(config) == ("1", "Prompt 1: {context}")


def test_a_rollback_that_was_killed_is_ended_by_the_next_and_goes_one_step_in_all(
    config: Config, corpus: Path
) -> None:
    stored(config, 3)
    for name in ("release-2", "release-3"):
        promotion.promoted(config, "docs", name, print)
    killed(corpus, "rolled_back")
    assert aliases(config)[0] == "3", "the traffic had changed, the aliases had not"

    said: list[str] = []
    assert promotion.rolled_back(config, "docs", said.append).id == "release-2"
    assert aliases(config)[0] == "2"
    assert "from release-3 to release-2 was interrupted" in said[0]
    assert promotion.rolled_back(config, "docs", print).id == "release-1", "a second one goes further back"


def test_what_was_promoted_after_a_killed_rollback_can_be_rolled_back(config: Config, corpus: Path) -> None:
    promotion.promoted(config, "docs", "release-2", print)
    killed(corpus, "rolled_back")
    promotion.promoted(config, "docs", "release-2", print)
    assert promotion.rolled_back(config, "docs", print).id == "release-1"


def test_a_rollback_from_a_named_release_is_safe_to_repeat(config: Config) -> None:
    stored(config, 3)
    for name in ("release-2", "release-3"):
        promotion.promoted(config, "docs", name, print)
    said: list[str] = []
    for _ in range(2):
        assert promotion.rolled_back(config, "docs", said.append, left="release-3").id == "release-2"
    assert said == ["release release-3 is not the champion: the traffic stays"]
    with pytest.raises(NotFoundError, match="no release 'release-9'"):
        promotion.rolled_back(config, "docs", print, left="release-9")
