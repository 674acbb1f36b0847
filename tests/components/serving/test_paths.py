"""What a path asks, and what it is called in metrics."""

import pytest

from components.serving.paths import asked, route_of


@pytest.mark.parametrize(
    ("path", "name", "route"),
    [
        ("/v1/models/credit:predict", "credit", "predict_v1"),
        ("/v2/models/credit/infer", "credit", "infer_v2"),
        ("/v2/models/credit/versions/3/infer", "credit", "infer_v2"),
        ("/v1/models/a/b:predict", "", "predict_v1"),
        ("/v1/models/credit", "", "models"),
        ("/v2/models/credit/ready", "", "health"),
        ("/openai/v1/chat/completions", "", "chat"),
        ("/elsewhere/infer", "", "infer_v2"),
        ("/", "", "health"),
    ],
)
def test_what_a_path_asks(path: str, name: str, route: str) -> None:
    assert (asked(path), route_of(path)) == (name, route)
