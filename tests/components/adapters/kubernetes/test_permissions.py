"""The documentation says what the stages may do."""

from pathlib import Path

import pytest

from components.adapters.kubernetes.permissions import FINETUNE, RELEASE, Rule

DOCS = Path(__file__).resolve().parents[4] / "docs"


@pytest.mark.parametrize(
    ("page", "rules"),
    [("explanation/release-on-a-cluster.md", RELEASE), ("how-to/train-on-several-gpus.md", FINETUNE)],
)
def test_the_page_lists_every_permission(page: str, rules: tuple[Rule, ...]) -> None:
    text = (DOCS / page).read_text()
    for one in rules:
        group, verbs = one.group or "core", ", ".join(one.verbs)
        assert f"| {group} | {one.resource} | {verbs} | {one.purpose} |" in text
