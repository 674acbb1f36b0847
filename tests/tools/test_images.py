"""`make images` with a stand-in for buildah and docker, which writes down its calls and builds nothing."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASE = "python@sha256:" + "a" * 64

STAND_IN = """#!/bin/sh
echo "$@" >> {log}
{says}
while [ $# -gt 0 ]; do
  [ "$1" = --digestfile ] && printf 'sha256:{digest}' > "$2"
  [ "$1" = inspect ] && echo 'registry.example.org/image@sha256:{digest}'
  shift
done
exit 0
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the script, the Containerfiles and a commit."""
    folder = tmp_path / "project"
    (folder / "tools").mkdir(parents=True)
    (folder / "images").symlink_to(ROOT / "images")
    for name in ("images.sh", "sbom.sh", "builder.sh", "check_image.py"):
        (folder / "tools" / name).write_bytes((ROOT / "tools" / name).read_bytes())
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


def images(
    checkout: Path, builder: str, says: str = "", **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The script's end and the calls of the builder."""
    log = checkout.parent / "calls"
    stand_in = checkout.parent / builder
    stand_in.write_text(STAND_IN.format(log=log, says=says, digest="b" * 64))
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["bash", str(checkout / "tools/images.sh")],
        env={"PATH": os.environ["PATH"], "BUILDER": str(stand_in), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, log.read_text().splitlines() if log.exists() else []


def test_all_four_are_built_with_the_commit_and_the_version(checkout: Path) -> None:
    done, calls = images(checkout, "docker", REGISTRY="registry.example.org/ml")
    assert done.returncode == 0, done.stderr
    commit = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    built = [call for call in calls if call.startswith("build ")]
    assert [call.split("--tag ")[1].split()[0] for call in built] == [
        f"registry.example.org/ml/twinstack/{name}-python:1.2.3"
        for name in ("pipeline", "train", "serve", "console")
    ]
    assert all(f"GIT_COMMIT={commit}" in call and "VERSION=1.2.3" in call for call in built)


def test_one_is_built_from_the_base_that_is_named(checkout: Path) -> None:
    _, calls = images(checkout, "docker", IMAGE="train", BASE=BASE, TAG="next")
    call, _ = calls
    assert f"--build-arg BASE={BASE}" in call
    assert "--tag twinstack/train-python:next" in call


def test_buildah_keeps_the_health_check_and_the_layers(checkout: Path) -> None:
    _, calls = images(checkout, "buildah", IMAGE="serve")
    assert "--format docker --layers" in calls[0]


def test_the_context_is_what_is_committed(checkout: Path) -> None:
    (checkout / ".git/info/exclude").write_text("local.env\n")
    (checkout / "local.env").write_text("")
    _, calls = images(checkout, "docker", IMAGE="serve")
    context = Path(calls[0].split()[-1])
    assert context != checkout
    assert not context.exists(), "it goes with the script"


def test_every_image_is_checked_from_inside_before_it_is_pushed(checkout: Path) -> None:
    _, calls = images(checkout, "docker", IMAGE="console", BASE=BASE, PUSH="1")
    assert [call.split()[0] for call in calls] == ["build", "run", "push", "inspect"]
    assert calls[1].endswith("twinstack/console-python:1.2.3 /mnt/tools/check_image.py console")
    assert "--read-only" in calls[1]


def test_an_image_that_breaks_a_rule_is_not_pushed(checkout: Path) -> None:
    done, calls = images(
        checkout, "docker", says='[ "$1" != run ] || exit 1', IMAGE="console", BASE=BASE, PUSH="1"
    )
    assert done.returncode
    assert not [call for call in calls if call.startswith("push")]


def test_the_configuration_of_pip_is_a_secret_of_the_build(checkout: Path) -> None:
    _, calls = images(checkout, "docker", IMAGE="serve", PIP_CONFIG="/somewhere/pip.conf")
    assert "--secret id=pip,src=/somewhere/pip.conf" in calls[0]


@pytest.mark.parametrize("builder", ["docker", "buildah"])
def test_a_push_prints_the_digest_that_the_registry_gave(builder: str, checkout: Path) -> None:
    done, calls = images(checkout, builder, IMAGE="serve", BASE=BASE, PUSH="1")
    assert f"serve: sha256:{'b' * 64}" in done.stdout
    assert any(call.startswith("push ") for call in calls)


def test_a_push_from_a_base_by_tag_is_refused(checkout: Path) -> None:
    done, calls = images(checkout, "docker", PUSH="1", BASE="python:3.11-slim")
    assert done.returncode == 2
    assert "named by digest" in done.stderr
    assert calls == []


def test_uncommitted_code_is_refused(checkout: Path) -> None:
    (checkout / "new.py").write_text("")
    done, calls = images(checkout, "docker")
    assert done.returncode == 2
    assert "uncommitted changes" in done.stderr
    assert calls == []


def test_an_unknown_image_is_answered_with_the_known_ones(checkout: Path) -> None:
    done, _ = images(checkout, "docker", IMAGE="kitchen")
    assert done.returncode == 2
    assert "pipeline train serve console" in done.stderr
