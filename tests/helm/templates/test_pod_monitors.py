"""What Prometheus scrapes."""

from tests.helm.rendering import ci, one, render


def test_fronts_and_predictors_are_scraped_by_port_number() -> None:
    made = render(ci("production-gpu"), "pod-monitors.yaml")
    for name, port in (("front", 8080), ("predictor", 8080), ("console", 8081)):
        monitor = one(made, "PodMonitor", f"twinstack-{name}")
        assert monitor["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert (endpoint["portNumber"], endpoint["path"]) == (port, "/metrics")


def test_metrics_of_predictors_get_their_twin() -> None:
    predictor = one(render(ci("production-gpu"), "pod-monitors.yaml"), "PodMonitor", "twinstack-predictor")
    (rule,) = predictor["spec"]["podMetricsEndpoints"][0]["relabelings"]
    assert rule["targetLabel"] == "twin"


def test_without_the_operator_there_are_none() -> None:
    assert render(ci("minimal"), "pod-monitors.yaml") == []
