"""`python -m tools.observability` writes rules and dashboards; `--check` exits with 1 where one is stale."""

import sys
from pathlib import Path

from tools.generated import changed, write_or_check
from tools.observability import dashboards, data_alerts, objectives, serving_alerts, slo
from tools.observability.dashboards.parts import to_json
from tools.observability.promql import Clock
from tools.observability.rules import to_yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "helm" / "twinstack" / "files"

NOTE = "# Written by `python -m tools.observability`. Change tools/observability, not this file.\n"

#: What records first.
GROUPS = (
    slo.recording, data_alerts.recording, serving_alerts.recording,
    slo.alerts, serving_alerts.group, data_alerts.group,
)  # fmt: skip


def rule_files(clock: Clock) -> dict[str, str]:
    """Name and text of every rule file."""
    return {
        "objectives.yaml": NOTE + to_yaml([objectives.group(clock)]),
        "twinstack.yaml": NOTE + to_yaml([make(clock) for make in GROUPS]),
    }


def rendered() -> dict[Path, str]:
    """Path and text of every generated file."""
    rules = {FILES / "rules" / name: text for name, text in rule_files(Clock()).items()}
    return rules | {FILES / "dashboards" / f"{one.name}.json": to_json(one) for one in dashboards.BOARDS}


def stale() -> list[Path]:
    """Files that are missing, differ from what the code says, or are left over."""
    fresh = rendered()
    kept = {path for folder in ("rules", "dashboards") for path in (FILES / folder).glob("*")}
    return sorted({*changed(fresh), *(kept - fresh.keys())})


def main() -> int:
    """Write or check; 1 where a check found a stale file."""
    return write_or_check("python -m tools.observability", __doc__, rendered, stale)


if __name__ == "__main__":
    sys.exit(main())
