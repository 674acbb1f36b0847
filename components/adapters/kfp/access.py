"""How the Kubeflow Pipelines server is reached, and what its refusals mean."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from components.shared.config.kfp import Kfp
from components.shared.errors import ConfigError, PipelinesError

#: Seconds to connect, and to wait for an answer.
PATIENCE = (5, 60)

#: Codes after which the same call may succeed: overload, and a server that restarts; 0 is no answer.
PASSING = frozenset({0, 408, 429, 500, 502, 503, 504})

LOGIN = (
    "name a file with a service-account token of audience pipelines.kubeflow.org in cluster.kfp.token_file, "
    "or a variable with one in cluster.kfp.token_variable; or reach the API through `kubectl port-forward`"
)


class Access:
    """The generated API client of one server, made at first use."""

    def __init__(self, settings: Kfp) -> None:
        self.settings = settings

    @cached_property
    def models(self) -> Any:
        """The package of the generated client: its models and its services."""
        import kfp_server_api

        return kfp_server_api

    @cached_property
    def client(self) -> Any:
        """The client, with certificates and a token that is read anew for every call.

        Raises:
            ConfigError: No endpoint is configured.
        """
        if not self.settings.endpoint:
            raise ConfigError(
                "no address of the Kubeflow Pipelines server",
                where="cluster.kfp.endpoint",
                remedy="set it, or give --endpoint; for example http://127.0.0.1:8888 of "
                "`kubectl port-forward --namespace kubeflow service/ml-pipeline 8888:8888`",
            )
        found = self.models.Configuration(host=self.settings.endpoint)
        if self.settings.ca_file:
            found.ssl_ca_cert = self.settings.ca_file
        if self.settings.token_file or self.settings.token_variable:
            # A placeholder, without which the generated client never calls the hook.
            found.api_key["authorization"] = ""
            found.api_key_prefix["authorization"] = "Bearer"
            found.refresh_api_key_hook = lambda one: one.api_key.update(authorization=token(self.settings))
        return self.models.ApiClient(found)

    def asking(self, what: str) -> AbstractContextManager[None]:
        """Turn the failures of one call into errors that a person can act on."""
        return asking(what, self.settings.endpoint)


def token(settings: Kfp) -> str:
    """The token as it is now.

    Raises:
        ConfigError: The file or the variable that is named holds none.
    """
    if settings.token_file:
        try:
            found = Path(settings.token_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"cannot read the token: {error.strerror}", where=settings.token_file, remedy=LOGIN
            ) from error
    else:
        found = os.environ.get(settings.token_variable or "", "").strip()
    if not found:
        place = settings.token_file or f"environment variable {settings.token_variable}"
        raise ConfigError("the token is empty", where=place, remedy=LOGIN)
    return found


@contextmanager
def asking(what: str, endpoint: str) -> Iterator[None]:
    """Turn the failures of one call into errors that a person can act on.

    Raises:
        PipelinesError: The server refused, or there was no answer.
    """
    import urllib3
    from kfp_server_api import ApiException

    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise PipelinesError(
            f"no answer from the Kubeflow Pipelines server: {_root(error)}",
            where=f"{what}, {endpoint}",
            remedy="see that the address is right and that a port-forward still runs",
        ) from None
    except ApiException as error:
        raise _refused(error, f"{what}, {endpoint}") from None


def _root(error: BaseException) -> str:
    """The innermost reason; urllib3 wraps it several times."""
    reason = getattr(error, "reason", None)
    return _root(reason) if isinstance(reason, BaseException) else str(error).rsplit(": ", 1)[-1]


def _refused(error: Any, where: str) -> PipelinesError:
    code = int(error.status or 0)
    said = _message(error.body) or error.reason or "no reason given"
    if code == HTTPStatus.UNAUTHORIZED:
        return PipelinesError(
            f"the server does not know the caller: {said}", where=where, remedy=LOGIN, code=code
        )
    if code == HTTPStatus.FORBIDDEN:
        remedy = (
            "give the account the verb on pipelines.kubeflow.org in the profile's namespace, and name that "
            "namespace in cluster.kfp.namespace"
        )
        return PipelinesError(f"the caller may not: {said}", where=where, remedy=remedy, code=code)
    if code == HTTPStatus.NOT_FOUND:
        remedy = "see that cluster.kfp.endpoint is the address of the API, without /apis"
        return PipelinesError(f"the server does not have it: {said}", where=where, remedy=remedy, code=code)
    return PipelinesError(f"the server answers {code}: {said}", where=where, code=code)


def _message(body: Any) -> str:
    """What the server says in its JSON; the start of anything else."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        found = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:300]
    return str(found.get("message") or found.get("error") or "") if isinstance(found, dict) else ""
