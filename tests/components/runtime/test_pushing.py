"""What stages push arrives in a real Pushgateway, and a gateway that is away fails no stage."""

from pathlib import Path
from typing import Any

import pytest

from components.runtime.context import Context
from components.runtime.entry import run_stage
from components.shared.config import Config, load
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from tests.conftest import free_port
from tests.observability.processes import needs, pushgateway, seen


def configured(corpus: Path, gateway: str) -> Config:
    config = load(corpus / "twinstack.yaml")
    return config.model_copy(update={"cluster": config.cluster.model_copy(update={"pushgateway": gateway})})


def made(rows: int) -> Any:
    def run(context: Context) -> Manifest:
        return Manifest(
            stage=context.stage, twin=context.twin, recipe="r", version="v", uri="", facts={"rows": rows}
        )

    return run


def breaks(context: Context) -> Manifest:
    raise DataError("the source is gone")


def bug(context: Context) -> Manifest:
    raise KeyError("a bug")


@needs("prometheus-pushgateway")
def test_a_stage_tells_when_it_ended_how_long_it_took_and_how_much_it_made(
    corpus: Path, tmp_path: Path
) -> None:
    with pushgateway(tmp_path) as gateway:
        config = configured(corpus, gateway)
        run_stage(made(7), Context(config, "credit", "collect"), {})
        run_stage(made(8), Context(config, "docs", "collect"), {})
        first = seen(gateway)
        assert first["twinstack_step_rows"] == {("credit", "collect"): 7, ("docs", "collect"): 8}
        assert 0 <= first["twinstack_step_duration_seconds"]["credit", "collect"] < 60
        assert "twinstack_step_last_failure_timestamp_seconds" not in first

        # The next run takes the place of this one: no series piles up.
        run_stage(made(9), Context(config, "credit", "collect"), {})
        second = seen(gateway)
        assert second["twinstack_step_rows"] == {("credit", "collect"): 9, ("docs", "collect"): 8}
        ended = "twinstack_step_last_success_timestamp_seconds"
        assert second[ended]["credit", "collect"] > first[ended]["credit", "collect"]


@needs("prometheus-pushgateway")
@pytest.mark.parametrize(("broken", "error"), [(breaks, DataError), (bug, KeyError)])
def test_a_failure_leaves_the_last_success_as_it_was(
    corpus: Path, tmp_path: Path, broken: Any, error: type[Exception]
) -> None:
    with pushgateway(tmp_path) as gateway:
        context = Context(configured(corpus, gateway), "credit", "validate")
        run_stage(made(7), context, {})
        before = seen(gateway)
        with pytest.raises(error):
            run_stage(broken, context, {})
        after = seen(gateway)
        failed = after.pop("twinstack_step_last_failure_timestamp_seconds")
        assert after == before
        assert (
            failed["credit", "validate"]
            >= before["twinstack_step_last_success_timestamp_seconds"]["credit", "validate"]
        )


def test_a_gateway_that_is_away_fails_no_stage(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = Context(configured(corpus, f"http://127.0.0.1:{free_port()}"), "credit", "collect")
    assert run_stage(made(7), context, {}).version == "v"
    assert "did not take the metrics" in capsys.readouterr().out


def test_nothing_is_pushed_unless_a_gateway_is_configured(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: list[object] = []
    monkeypatch.setattr("prometheus_client.pushadd_to_gateway", lambda *words, **_: pushed.append(words))
    run_stage(made(7), Context(load(corpus / "twinstack.yaml"), "credit", "collect"), {})
    assert not pushed
    run_stage(made(7), Context(configured(corpus, "http://127.0.0.1:1"), "credit", "collect"), {})
    assert pushed
