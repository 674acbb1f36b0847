"""The stub of the Kubeflow Pipelines API refuses what the API does not have."""

from typing import Any

import pytest

from tests.components.adapters.kfp import stub as kfp_stub


def test_the_stub_refuses_what_the_api_does_not_have() -> None:
    import kfp_server_api as api

    kfp_stub.checked(api.V2beta1Run, {"display_name": "a", "runtime_config": {"parameters": {"x": 1}}})
    wrongs: tuple[dict[str, Any], ...] = (
        {"displayname": "a"},
        {"runtime_config": {"parameter": {}}},
        {"state": "DONE"},
        {"display_name": 1},
    )
    for wrong in wrongs:
        with pytest.raises(kfp_stub.RefusedError):
            kfp_stub.checked(api.V2beta1Run, wrong)
