"""`twin eval` on a small project: run, stored, by release, and the exit code of a gate that blocks."""

import json
import subprocess
from pathlib import Path

import pytest

from components.shared.errors import MissingError, NotReleasedError
from tests.conftest import TWIN


def evaluated(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TWIN, "eval", "credit", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def committed(folder: Path, text: str) -> None:
    (folder / "twinstack.yaml").write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "commit", "-qam", "change"], check=True)


@pytest.mark.slow
def test_what_is_configured_is_measured_and_nothing_is_released(corpus: Path) -> None:
    missing = evaluated(corpus, "--stored")
    assert (missing.returncode, "has no evaluation" in missing.stderr) == (MissingError.exit_code, True)

    for pipeline in ("collect", "features"):
        words = [TWIN, "run", pipeline, "--twin", "credit"]
        subprocess.run(words, cwd=corpus, capture_output=True, check=True)
    first = evaluated(corpus)
    assert first.returncode == 0, first.stderr
    assert "Latency, 95th percentile" in first.stdout
    assert "Cost of 1,000 requests is not measured: no price of a machine" in first.stdout
    assert "Gate: release" in first.stdout

    text = (corpus / "twinstack.yaml").read_text()
    priced = text.replace("    table:", "    costs: {currency: EUR, hour: 0.1}\n    table:")
    rule = "{metric: roc_auc, at_least: 0.7, may_lose: 0.03}"
    committed(corpus, priced.replace(rule, "{metric: cost_per_1000, at_most: 0.0}"))
    second = evaluated(corpus, "--json", "--fail")
    assert second.returncode == NotReleasedError.exit_code
    found = json.loads(second.stdout)
    cost = found["evaluation"]["candidate"]["cost_per_1000"]
    assert 0 < cost["low"] <= cost["value"] <= cost["high"] < 0.1
    assert found["decision"] == "block"
    assert "EUR (at most 0 EUR)" in found["reason"]

    listed = subprocess.run(
        [TWIN, "releases", "--twin", "credit", "--json"],
        cwd=corpus, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(listed.stdout)["releases"] == []
    nobody = evaluated(corpus, "--release", "none")
    assert "none" in nobody.stderr and nobody.returncode != 0
