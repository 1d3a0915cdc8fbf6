"""What stands before the studio: who may ask, how much, how much at once, and what every answer's headers say."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "oplas_studio"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "content-security-policy": POLICY,
}
_TEXT, _BRACKET = re.compile(rb'"[^"]*"'), re.compile(rb"[\[\]{}]")
_HOST = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}?))\.?(?::\d{1,5})?")


class Refused(Exception):
    """A request that goes no further: status, and the fact."""

    def __init__(self, status: int, fact: str) -> None:
        super().__init__(fact)
        self.status, self.fact = status, fact


@dataclass
class Guard:
    """ASGI middleware.

    Args:
        token: what a caller must show, as a cookie or ``Authorization: Bearer``; none on the loopback.
        hosts: names, beside ``localhost`` and addresses, under which the studio may be asked for: a page of another host whose
            name was pointed here (DNS rebinding) is none of them.
        json_bytes, upload_bytes: the largest bodies.
        depth: how deep JSON may nest.
        at_once: requests answered at the same time; more are told to come again.
        patience: seconds between two pieces of a body.
    """

    app: App
    token: str | None = None
    hosts: frozenset[str] = frozenset()
    json_bytes: int = 4 << 20
    upload_bytes: int = 200 << 20
    depth: int = 32
    at_once: int = 48
    patience: float = 20.0
    _busy: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        api = scope["path"].startswith("/api")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message.get("headers", [])}
                fresh = {**HEADERS, "cache-control": "no-store" if api else "no-cache"}
                more = [(k.encode(), v.encode()) for k, v in fresh.items() if k.encode() not in given]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        if self._busy >= self.at_once:
            return await _say(answer, 503, "the studio is busy; ask again in a moment", {"retry-after": "1"})
        self._busy += 1
        try:
            self.host(headers.get("host", ""))
            self.origin(scope["method"], headers, api)
            if self.token is not None and (cookie := self.login(scope, headers)):
                return await _say(answer, 303, "", {"location": "/", "set-cookie": cookie})
            await self.app(scope, await self.body(scope, headers, receive), answer)
        except Refused as refused:
            await _say(answer, refused.status, refused.fact)
        finally:
            self._busy -= 1

    def host(self, told: str) -> None:
        """Refuse a name under which the studio is not served."""
        name = _name(told)
        if name not in {"localhost", *self.hosts} and not self._address(name):
            raise Refused(421, "the studio is not served under this host name")

    def _address(self, name: str) -> bool:
        try:
            found = ipaddress.ip_address(name)
        except ValueError:
            return False
        return found.is_loopback or self.token is not None

    def origin(self, method: str, headers: dict[str, str], api: bool) -> None:
        """Refuse what another page asks for."""
        site = headers.get("sec-fetch-site", "none")
        told = headers.get("origin")
        if told is not None and told.partition("//")[2].lower() != headers.get("host", "").lower():
            raise Refused(403, "asked by a page of another origin")
        visit = method in {"GET", "HEAD"} and headers.get("sec-fetch-mode") == "navigate" and not api
        if site not in {"none", "same-origin"} and not visit:
            raise Refused(403, "asked by a page of another origin")
        if method not in {"GET", "HEAD", "POST"}:
            raise Refused(405, f"{method} means nothing here")

    def login(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """The cookie to set, where the address holds the token; none where the caller has shown it already."""
        assert self.token is not None
        shown = [headers.get("authorization", "").removeprefix("Bearer ")]
        try:
            jar = SimpleCookie(headers.get("cookie", "")[:8192])
            shown += [jar[COOKIE].value] if COOKIE in jar else []
        except CookieError:
            pass
        if sum(map(self._same, shown)):
            return None
        if scope["path"] == "/" and scope["method"] == "GET":
            asked = parse_qs(scope.get("query_string", b"").decode("latin-1")[:1024]).get("token", [""])[0]
            if self._same(asked):
                return f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        raise Refused(401, "open the address that the terminal printed: it holds the token")

    def _same(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), str(self.token).encode())

    async def body(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Receive:
        """The same body, refused when it is too large, too slow, or nests too deep."""
        if scope["method"] != "POST":
            return receive
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {"application/json", "multipart/form-data"}:
            raise Refused(415, "send application/json, or multipart/form-data for files")
        most = self.json_bytes if kind == "application/json" else self.upload_bytes
        told = headers.get("content-length", "0")
        if not told.isdecimal() or int(told[:19]) > most:
            raise Refused(413, f"a body of more than {most >> 20} MB is not taken")
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            try:
                message = await asyncio.wait_for(receive(), self.patience)
            except TimeoutError:
                raise Refused(408, "the body came too slowly") from None
            seen += len(message.get("body", b""))
            if seen > most:
                raise Refused(413, f"a body of more than {most >> 20} MB is not taken")
            return message

        if kind != "application/json":
            return bounded
        pieces, more = [], True
        while more:
            message = await bounded()
            if message["type"] == "http.disconnect":
                return receive
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        whole = b"".join(pieces)
        if await asyncio.to_thread(deeper, whole, self.depth):
            raise Refused(400, f"JSON nested deeper than {self.depth} is not taken")
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": whole, "more_body": False}

        return again


def deeper(blob: bytes, most: int) -> bool:
    """Whether JSON nests deeper than ``most``.

    >>> deeper(b'{"a": [1, "[[["]}', 2), deeper(b'[[[1]]]', 2)
    (False, True)
    """
    depth = 0
    plain = blob.replace(b"\\\\", b"").replace(b'\\"', b"")  # every quote left is an end: linear time, whatever comes
    for found in _BRACKET.finditer(_TEXT.sub(b"", plain)):
        depth += 1 if found[0] in b"[{" else -1
        if depth > most:
            return True
    return False


def names_of(hosts: Iterable[str]) -> frozenset[str]:
    """Host names as they are compared."""
    return frozenset(_name(host) for host in hosts if host)


def _name(host: str) -> str:
    """``localhost`` of ``LOCALHOST:8321``, ``::1`` of ``[::1]:8321``."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2]) if found else ""


async def _say(send: Send, status: int, fact: str, more: dict[str, str] | None = None) -> None:
    blob = json.dumps({"error": fact}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(blob)), **(more or {})}
    await send({"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]})
    await send({"type": "http.response.body", "body": blob})
