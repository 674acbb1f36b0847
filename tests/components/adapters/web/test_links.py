"""The guard of links: what is never read, and what is read how, against real servers on loopback."""

import asyncio
import ipaddress
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.adapters.web import links
from components.adapters.web.addresses import parsed, public
from components.adapters.web.pages import MAX_TAGS, readable
from components.shared.config.links import Links

PRIVATE = (
    # Those that Python's `is_global` takes for public.
    *("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "192.0.0.8", "224.0.0.1", "64:ff9b:1::1"),
    *("192.88.99.1", "3fff::1", "5f00::1", "ff02::1", "ff0e::1"),
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fd12::1"),
    *("2001::1", "2001:db8::1", "2001:0:7f00:1::", "100::1", "fec0::1"),
)
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
)

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@pytest.mark.parametrize("address", PRIVATE)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not public(parsed(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert public(parsed(address))


def test_an_address_with_a_scope_is_none() -> None:
    with pytest.raises(ValueError, match="scope"):
        parsed("fe80::1%lo")


def read(url: str, settings: Links) -> links.Fetched:
    return asyncio.run(links.fetch(url, settings, "twinstack.links[0]"))


ANY = Links(allow="public", ports=tuple(range(1, 65536)), seconds=5)


@pytest.mark.parametrize(
    "url",
    [
        *(
            f"http://{host}/"
            for host in ("127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost")
        ),
        *(
            f"http://{host}/"
            for host in ("[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]")
        ),
        *(f"http://{host}/" for host in ("[::127.0.0.1]", "0", "0.0.0.0", "169.254.169.254", "localhost.")),
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
        "http://127.0.0.1:22/",
    ],
)
def test_no_spelling_of_an_inner_address_is_read(url: str) -> None:
    with pytest.raises(links.LinkError) as found:
        read(url, ANY)
    assert found.value.param == "twinstack.links[0]"
    assert found.value.http_status == 400


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "only http"),
        ("file:///etc/passwd", "only http"),
        ("gopher://example.org/", "only http"),
        ("//example.org/", "only http"),
        ("http://user:pass@example.org/", "user name"),
        ("http://example.org@127.0.0.1/", "user name"),
        ("http://example.org:8081/", "port 8081"),
        ("http://example.org:99999/", "no URL"),
        ("http://[::1/", "no URL"),
        ("http:///path", "no host"),
        ("http://exa mple.org/", "ASCII"),
        ("http://example.org\\@evil/", "ASCII"),
        ("http://example.org/\r\nHost: evil", "ASCII"),
        ("http://a..b/", "no host"),
        (f"http://{'a' * 300}/", "no host"),
        ("http://no-such-host.invalid/", "not known"),
    ],
)
def test_urls_that_are_refused_for_what_they_say(url: str, why: str) -> None:
    with pytest.raises(links.LinkError, match=why):
        read(url, Links(allow="public"))


def test_off_by_default_and_lists_of_hosts() -> None:
    with pytest.raises(links.LinkError, match="not read here"):
        read("http://example.org/", Links())
    listed = Links(allow="listed", hosts=("docs.example.org", "*.example.com"))
    for host in (
        "example.org",
        "evildocs.example.org",
        "example.com",
        "evilexample.com",
        "example.com.evil.org",
    ):
        with pytest.raises(links.LinkError, match="not among"):
            read(f"http://{host}/", listed)
    for host in ("docs.example.org", "DOCS.example.org.", "a.example.com", "a.b.example.com"):
        assert links.checked(f"http://{host}/", listed).hostname


Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A real server on loopback; what it answers is chosen by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.seen.append((self.headers["Host"], self.path))
                site.answers[self.path](self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str, body: bytes, kind: str = "text/html; charset=utf-8", **headers: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url(path)

    def redirect(self, path: str, target: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.end_headers()

        self.answers[path] = answer
        return self.url(path)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def inside(site: Site) -> Links:
    """Settings of somebody who lets this one network be read from, though it is not public."""
    # `localhost` has an IPv6 address on some machines.
    networks = (LOOPBACK, ipaddress.ip_network("::1/128"))
    return Links(allow="public", networks=networks, ports=(site.port,), max_bytes=10_000, seconds=5)


PAGE = b"""<html><head><title> A  canary </title><style>p {color: red}</style></head><body><nav>Menu</nav>
<h1>Canary</h1><p>A canary gets a <b>small</b> share.</p><script>alert(1)</script><p>Always the same.</p>"""


def test_a_page_becomes_title_and_paragraphs(site: Site, inside: Links) -> None:
    found = read(site.page("/a?b=1", PAGE) + "#part", inside)
    assert found.title == "A canary"
    assert found.url == site.url("/a?b=1")
    assert found.text.split() == [
        "Canary",
        "A",
        "canary",
        "gets",
        "a",
        "small",
        "share.",
        "Always",
        "the",
        "same.",
    ]
    assert "\n\n" in found.text.strip()
    # The name, not the address, is what the server is asked for.
    assert site.seen == [(f"localhost:{site.port}", "/a?b=1")]


def test_the_name_is_resolved_once(site: Site, inside: Links, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that points elsewhere the second time gets no second time."""
    loops: list[str] = []
    real = asyncio.base_events.BaseEventLoop.getaddrinfo

    async def counted(self: Any, host: Any, *words: Any, **more: Any) -> Any:
        loops.append(str(host))
        return await real(self, host, *words, **more)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", counted)
    read(site.page("/", PAGE), inside)
    assert [one for one in loops if not one[0].isdigit() and ":" not in one] == ["localhost"]


def test_redirects_are_followed_and_each_is_checked(site: Site, inside: Links) -> None:
    site.page("/end", b"The end.", "text/plain")
    site.redirect("/1", "/end")
    assert read(site.redirect("/2", site.url("/1")), inside).text == "The end."
    only_name = inside.model_copy(update={"allow": "listed", "hosts": ("localhost",)})
    assert read(site.url("/2"), only_name).text == "The end."
    for target, why in (
        (site.url("/end", "127.0.0.1"), "not among"),
        ("http://localhost:1/", "port 1"),
        ("file:///etc/passwd", "only http"),
        (f"http://user@localhost:{site.port}/end", "user name"),
    ):
        with pytest.raises(links.LinkError, match=why):
            read(site.redirect("/bad", target), only_name)
    outside = inside.model_copy(update={"networks": (ipaddress.ip_network("10.0.0.0/8"),)})
    with pytest.raises(links.LinkError, match="not on the public internet"):
        read(site.url("/2"), outside)
    with pytest.raises(links.LinkError, match="more than 3 redirects"):
        read(site.redirect("/round", "/round"), inside)


def test_sizes_and_kinds_are_bounded(site: Site, inside: Links) -> None:
    for path, body, kind, headers, why in (
        ("/big", b"x" * 10_001, "text/plain", {}, "more than 10000 bytes"),
        ("/pdf", b"%PDF", "application/pdf", {}, "no page of text"),
        ("/none", b"x", "", {}, "no page of text"),
        ("/zip", b"x", "text/plain", {"Content_Encoding": "gzip"}, "compressed"),
        ("/empty", b"<script>x</script>", "text/html", {}, "no text"),
    ):
        with pytest.raises(links.LinkError, match=why):
            read(site.page(path, body, kind, **headers), inside)
    # A charset that Python knows and that takes quadratic time is read as UTF-8.
    assert read(site.page("/c", b"a" * 9_000, "text/plain; charset=punycode"), inside).text == "a" * 9_000


def test_a_page_that_never_ends_is_given_up(site: Site, inside: Links) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    site.answers["/drip"] = drip
    start = time.monotonic()
    with pytest.raises(links.LinkError, match=r"more than 0\.4 s"):
        read(site.url("/drip"), inside.model_copy(update={"seconds": 0.4}))
    assert time.monotonic() - start < 3


def test_tags_that_would_take_for_ever_are_refused() -> None:
    with pytest.raises(ValueError, match="tags"):
        readable("<div>" * (MAX_TAGS + 1), "text/html")


def test_tls_is_checked_against_the_name(site: Site, inside: Links, tmp_path: Path) -> None:
    """A certificate that nobody vouches for is not taken, though the address is allowed."""
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    files = ["-keyout", str(tmp_path / "k.pem"), "-out", str(tmp_path / "c.pem")]
    subprocess.run([*words, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    site.page("/", PAGE)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    with pytest.raises(links.LinkError, match="does not answer"):
        read(f"https://localhost:{site.port}/", inside)
