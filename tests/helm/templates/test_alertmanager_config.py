"""The way from an alert to the operations API."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import ci, render


def test_alerts_go_to_the_console_with_a_key_and_on_to_people() -> None:
    (made,) = render(ci("production-gpu"), "alertmanager-config.yaml")
    assert made["spec"]["route"]["continue"] is True
    (webhook,) = made["spec"]["receivers"][0]["webhookConfigs"]
    assert webhook["url"].startswith("http://twinstack-console.twinstack.svc:8081/api/")
    credentials = webhook["httpConfig"]["authorization"]["credentials"]
    assert credentials == {"name": "twinstack-alerts-key", "key": "key"}


def test_it_needs_the_console_and_a_key() -> None:
    with pytest.raises(HelmError, match="enable console"):
        render(ci("production-gpu", console={"enabled": False}))
    with pytest.raises(HelmError, match=r"keySecret: name the Secret"):
        render(ci("production-gpu", monitoring={"alertmanager": {"keySecret": ""}}))
