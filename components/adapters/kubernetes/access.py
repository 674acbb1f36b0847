"""Where the API server is and who asks: the pod's service account, or an address that needs no token."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from components.shared.config.cluster import Cluster
from components.shared.errors import ConfigError

#: Where Kubernetes mounts token, certificate authority and namespace of a pod's service account.
MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Access:
    """How to reach one namespace.

    Attributes:
        server: Address of the API server.
        namespace: The namespace that is spoken of.
        token: File with a bearer token; none for a server that asks for none, for example `kubectl proxy`.
        authority: File with the certificates to trust.
    """

    server: str
    namespace: str
    token: Path | None = None
    authority: Path | None = None

    def headers(self) -> dict[str, str]:
        """What every call carries; the token is read anew, because Kubernetes renews it.

        Raises:
            ConfigError: The token cannot be read.
        """
        if self.token is None:
            return {}
        try:
            return {"authorization": f"Bearer {self.token.read_text(encoding='utf-8').strip()}"}
        except OSError as error:
            raise ConfigError(
                f"the service account's token cannot be read: {error.strerror}",
                where=str(self.token),
                remedy="mount one (automountServiceAccountToken), or name a file with cluster.api.token_file",
            ) from error

    def context(self) -> ssl.SSLContext | bool:
        """What certificates are checked against; a server without TLS has none."""
        if self.server.startswith("http://"):
            return False
        return ssl.create_default_context(cafile=str(self.authority)) if self.authority else True


def access(settings: Cluster, mounted: Path = MOUNTED) -> Access:
    """Access as configured; where no address is, that of the pod this runs in.

    Raises:
        ConfigError: There is neither.
    """
    api = settings.api
    if api.server:
        token, authority = (Path(one) if one else None for one in (api.token_file, api.ca_file))
        return Access(api.server, settings.namespace, token, authority)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ConfigError(
            "there is no Kubernetes API server to talk to: this is no pod, and cluster.api.server is empty",
            where="cluster.api",
            remedy="run it on the cluster (`twin submit`), or `kubectl proxy` and set "
            "cluster.api.server to http://127.0.0.1:8001",
        )
    address = f"[{host}]" if ":" in host else host
    token, authority = mounted / "token", mounted / "ca.crt"
    return Access(f"https://{address}:{port}", settings.namespace, token, authority)
