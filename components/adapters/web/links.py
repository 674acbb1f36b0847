"""Reading pages that a caller names, behind a guard: only where the settings say so, and nowhere inside.

A name is resolved once, every address that comes back is checked, and the connection goes to a checked
address; the host's name stays in TLS and in the `Host` header. Redirects are followed by hand and checked
like links. httpcore is used directly: its network backend is the public place where connections are made.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

from components.adapters.web.addresses import Address, parsed, public
from components.adapters.web.pages import KINDS, content_kind, decoded, readable
from components.shared.config.links import Links
from components.shared.errors import RequestError

HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9]([a-z0-9_-]{0,62}))*\.?")
FORBIDDEN = re.compile(r"[^\x21-\x7e]|\\")
PORTS = {"http": 80, "https": 443}
OK, REDIRECTS = 200, (301, 302, 303, 307, 308)
HEADERS: Mapping[bytes | str, bytes | str] = {
    "user-agent": "twinstack",
    "accept": ", ".join(KINDS),
    # A small body that unpacks to a large one would have to be bounded twice.
    "accept-encoding": "identity",
    "connection": "close",
}


class LinkError(RequestError):
    """A page that a request names cannot be read."""

    kind = "link_error"


@dataclass(frozen=True)
class Fetched:
    """A page: where it was read, its title, its text."""

    url: str
    title: str
    text: str


async def fetch(url: str, settings: Links, param: str) -> Fetched:
    """Read a page.

    Args:
        url: What the caller named.
        settings: What may be read.
        param: The field that named it.

    Raises:
        LinkError: It may not be read, cannot be read, or is no text.
    """
    try:
        async with asyncio.timeout(settings.seconds):
            return await _follow(url, settings)
    except _RefusedError as refused:
        raise LinkError(f"{param}: {refused}", param=param, remedy="send the text itself") from None
    except TimeoutError:
        raise LinkError(f"{param}: it took more than {settings.seconds:g} s", param=param) from None
    except (OSError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError):
        raise LinkError(f"{param}: the host does not answer", param=param) from None


class _RefusedError(Exception):
    """Why a page is not read; quotes no address."""


async def _follow(url: str, settings: Links) -> Fetched:
    for _ in range(settings.redirects + 1):
        target = checked(url, settings)
        addresses = await _resolved(target, settings)
        location, found = await _get(url, target, addresses, settings)
        if found is not None:
            return found
        url = urljoin(url, location)
    raise _RefusedError(f"more than {settings.redirects} redirects")


def checked(url: str, settings: Links) -> SplitResult:
    """The parts of a URL that may be read, as far as it says itself.

    Raises:
        _RefusedError: It may not be read.
    """
    if settings.allow == "off":
        raise _RefusedError("links are not read here (serving.links)")
    if FORBIDDEN.search(url):
        raise _RefusedError("a URL is written in ASCII, without spaces and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _RefusedError("it is no URL") from None
    if parts.scheme not in PORTS:
        raise _RefusedError("only http and https are read")
    if "@" in parts.netloc:
        raise _RefusedError("a URL with a user name or password is not read")
    if port not in settings.ports:
        raise _RefusedError(f"port {port} is not read from; allowed: {', '.join(map(str, settings.ports))}")
    host = parts.hostname or ""
    if ":" not in host and not HOST.fullmatch(host):
        raise _RefusedError("it has no host that could be read from")
    if settings.allow == "listed" and not _listed(host.rstrip("."), settings.hosts):
        raise _RefusedError("its host is not among those that are read from (serving.links.hosts)")
    return parts


def _listed(host: str, hosts: Iterable[str]) -> bool:
    return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in hosts)


async def _resolved(target: SplitResult, settings: Links) -> list[Address]:
    """Every address of a host, all of them checked.

    Raises:
        _RefusedError: One of them may not be read from, or there is none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.hostname, None, type=socket.SOCK_STREAM)
        addresses = [parsed(str(one[4][0])) for one in found]
    except (OSError, ValueError):
        raise _RefusedError("its host is not known") from None
    for address in addresses:
        if not public(address) and not any(address in network for network in settings.networks):
            raise _RefusedError("its host is not on the public internet")
    return addresses


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses, whatever the name says by now."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first of the addresses that answers."""
        failed: Exception = OSError("no address")
        for address in self._addresses:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failed = error
        raise failed


async def _get(
    url: str, target: SplitResult, addresses: list[Address], settings: Links
) -> tuple[str, Fetched | None]:
    """Where a redirect leads, or the page."""
    each = settings.seconds / 2  # so that a second address still gets its turn
    timeouts = {"timeout": {"connect": each, "read": settings.seconds, "write": each}}
    plain = target._replace(fragment="").geturl()
    async with (
        httpcore.AsyncConnectionPool(network_backend=_Pinned(addresses)) as pool,
        pool.stream("GET", plain, headers=HEADERS, extensions=timeouts) as answer,
    ):
        headers = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
        if answer.status in REDIRECTS and b"location" in headers:
            return headers[b"location"], None
        if answer.status != OK:
            raise _RefusedError(f"its host answers with status {answer.status}")
        if headers.get(b"content-encoding", "identity") != "identity":
            raise _RefusedError("it comes compressed, which was not asked for")
        kind, charset = content_kind(headers.get(b"content-type", ""))
        if kind not in KINDS:
            raise _RefusedError(f"it is no page of text; allowed: {', '.join(KINDS)}")
        body = bytearray()
        async for part in answer.aiter_stream():
            body += part
            if len(body) > settings.max_bytes:
                raise _RefusedError(f"it has more than {settings.max_bytes} bytes")
    try:
        title, text = await asyncio.to_thread(readable, decoded(bytes(body), charset), kind)
    except ValueError as error:
        raise _RefusedError(str(error)) from None
    return "", Fetched(plain, title, text)
