"""Pages of reports: in a real browser where one is installed, by their markup everywhere."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from components.shared.page import document

WIDE = "<table><tr>" + "".join(f"<td>a cell of number {one}" for one in range(60)) + "</table>"


def test_a_title_is_text() -> None:
    assert "<h1>a &lt;b&gt; c</h1>" in document("a <b> c", "")


def test_a_wide_table_scrolls_by_itself_on_a_narrow_screen(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    page = tmp_path / "page.html"
    measured = "<script>document.title=document.documentElement.scrollWidth+' of '+innerWidth</script>"
    page.write_text(document("wide", WIDE + measured))
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,700", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
    assert found is not None, done.stdout[:500]
    assert int(found[1]) <= int(found[2])
