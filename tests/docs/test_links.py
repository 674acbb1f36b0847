"""Links between pages lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "twins").rglob("*.md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_local_links_exist(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [one for one in LINK.findall(text) if "://" not in one]
    assert [one for one in targets if not (page.parent / one).exists()] == []


def test_the_index_names_every_page_but_decisions() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / one).resolve() for one in LINK.findall(index.read_text()) if "://" not in one}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "decisions"}
    assert pages - linked - {index} == set()


def test_no_two_decisions_share_a_number() -> None:
    numbers = [int(page.name[:4]) for page in (ROOT / "docs/decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
