"""HTTP to addresses that a tenant chose: nothing private is reached, nothing is taken in without end.

Redirects are followed here, each hop checked like the first, and what proves who we are stays behind when
one leads to another origin. Nothing is tried again by itself, and no proxy of the environment is used.
"""

import asyncio
import re
import socket
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from aerostic.integrations.outside.addresses import Forbidden, Rules, dialled, new_socket

CONNECT_SECONDS = 10
MOST_SECONDS = 60
MOST_BYTES = 5_000_000
MOST_HOPS = 5
LONGEST_URL = 8_000
CONNECTIONS = 500
KEEP_ALIVE_SECONDS = (
    4  # shorter than a server's own (Node: 5), so that a request meets no closing door
)
PIECE = 64 * 1024
AGENT = "Aerostic/1"
# What carries a message is ours to say.
OURS = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "accept-encoding",
    "proxy-authorization",
    "proxy-connection",
}
# What proves who we are, wherever it came from.
PROOFS = {"authorization", "cookie"}
_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,253}")
_TOKEN = re.compile(r"[A-Za-z0-9\-_.!~*'#$%&+^`|]+")
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
REDIRECTS = {301, 302, 303, 307, 308}


class OutsideProblem(Exception):
    """No answer that can be used. `may_pass`: the same request might succeed later.
    `was_sent`: it may have had its effect over there."""

    may_pass = False

    def __init__(self, sentence: str, *, was_sent: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.was_sent = was_sent


class Refused(OutsideProblem):
    """It was not sent: the address or the request may not be."""


class NoAnswer(OutsideProblem):
    may_pass = True


class TooBig(OutsideProblem):
    """The answer was larger than what is taken in."""


class Unreadable(OutsideProblem):
    """What came was no HTTP, or was packed in a way that was not asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """`private` names headers that must not follow a redirect to another origin."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    seconds: float = 30
    private: frozenset[str] = frozenset()
    follows: bool = True
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str  # after redirects

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, in the encoding that it claims, what does not fit replaced."""
        claimed = self.headers.get("content-type", "").lower().partition("charset=")[2]
        try:
            return self.body.decode(claimed.partition(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def content(self) -> Any:
        """What the body says: JSON where it is that, else the text."""
        if self.media_type.endswith(("/json", "+json")) or not self.media_type:
            try:
                return orjson.loads(self.body) if self.body else None
            except orjson.JSONDecodeError:
                return self.text
        return self.text


class OutsideClient:
    """One per process and event loop: keeps connections open until `close`, or as a context manager."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules.of()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: Request) -> Answer:
        """Ask once, redirects included. Raises OutsideProblem with a sentence."""
        seconds = min(max(request.seconds, 0.1), MOST_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(_checked(request))
        except TimeoutError:
            raise NoAnswer(
                f"There was no answer within {seconds:g} seconds.", was_sent=True
            ) from None

    async def _follow(self, request: Request) -> Answer:
        for _ in range(MOST_HOPS + 1):
            answer = await self._once(request)
            target = answer.headers.get("location")
            if not request.follows or answer.status not in REDIRECTS or not target:
                return answer
            request = _next(request, answer, target)
        raise Unreadable(f"The address redirects more than {MOST_HOPS} times.", was_sent=True)

    async def _once(self, request: Request) -> Answer:
        session = self._opened()
        try:
            async with session.request(
                request.method,
                _url(request.url),
                headers={**request.headers, "Accept-Encoding": "gzip, deflate"},
                data=request.body,
                allow_redirects=False,
                timeout=_TIMEOUT,
            ) as response:
                body = await _body(response, request.most_bytes)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, body, str(response.url))
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise _problem(error, request) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = _session(self._rules, self._socket)
        return self._session

    def _socket(self, info: Any) -> socket.socket:
        """The last word: on the very address that is about to be dialled."""
        address, port = dialled(info)
        self._rules.check(address, address, port)
        return new_socket(info)


def ask(request: Request) -> Answer:
    """For jobs, which have no event loop: one request, with a client of its own. Raises OutsideProblem."""

    async def asked() -> Answer:
        async with OutsideClient() as client:
            return await client.send(request)

    return asyncio.run(asked())


def _session(rules: Rules, new_socket: Callable[[Any], socket.socket]) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            resolver=_Resolver(rules),
            socket_factory=new_socket,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        headers={"User-Agent": AGENT},
    )
    # It would send a PUT or a DELETE again by itself, and nobody would know.
    session._retry_connection = False
    return session


class _Resolver(AbstractResolver):
    """Looks a name up, and refuses it if any of its addresses is not to be called."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for one in found:
            self._rules.check(host, one["host"], port)
        return found

    async def close(self) -> None:
        await self._inner.close()


def _checked(request: Request) -> Request:
    """A request that may be sent. Raises Refused."""
    _url(request.url)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in OURS}
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _is_line(value):
            raise Refused(
                f"The header “{name[:60]}” can not be sent: it holds a forbidden character."
            )
    if not _TOKEN.fullmatch(request.method):
        raise Refused("That is not a method of HTTP.")
    if request.method.isupper() and len(headers) == len(request.headers):
        return request
    return replace(request, headers=headers, method=request.method.upper())


@lru_cache(maxsize=500)
def _url(text: str) -> URL:
    """The address, if it may be called. Raises Refused."""
    if len(text) > LONGEST_URL:
        raise Refused(f"An address has at most {LONGEST_URL:,} characters.")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except (ValueError, TypeError):
        raise Refused(f"“{text[:100]}” is not an address.") from None
    if url.scheme not in {"http", "https"} or not port or not _HOST.fullmatch(host or ""):
        raise Refused(f"“{text[:100]}” is not an address that starts with https:// or http://.")
    if url.user is not None or url.password is not None:
        raise Refused("An address must not hold a user or a password. Use a secret instead.")
    return url


def _is_line(text: str) -> bool:
    return not any(sign in text for sign in "\r\n\x00") and len(text) <= 8_000


def _next(request: Request, answer: Answer, target: str) -> Request:
    """The request to which a redirect leads (RFC 9110, 15.4)."""
    here = URL(answer.url)
    try:
        there = here.join(URL(target)).with_fragment(None)
    except ValueError:
        raise Unreadable(
            "The address redirects to something that is no address.", was_sent=True
        ) from None
    _url(str(there))
    becomes_get = answer.status == 303 or (answer.status in {301, 302} and request.method == "POST")
    headers = CIMultiDict(request.headers)
    if there.origin() != here.origin():
        for name in PROOFS | request.private:
            headers.popall(name, None)
    if not becomes_get or request.method == "HEAD":
        return replace(request, url=str(there), headers=dict(headers))
    headers.popall("content-type", None)
    return replace(request, url=str(there), headers=dict(headers), method="GET", body=None)


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The whole body, unpacked, if it is no larger than `most` on the way and unpacked."""
    if (response.content_length or 0) > most:
        raise _too_big(most)
    encoding = response.headers.get("Content-Encoding", "")
    if response.content_length is not None and not encoding:
        return await response.read()  # it says its length, and the parser takes no more
    unpack = _unpacker(encoding)
    taken, body = 0, bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        taken += len(piece)
        body += unpack.decompress(piece, most - len(body) + 1)
        if taken > most or len(body) > most:
            raise _too_big(most)
    return bytes(body)


def _too_big(most: int) -> TooBig:
    return TooBig(
        f"The answer is larger than {most / 1_000_000:g} MB, so it was not taken in.", was_sent=True
    )


class _Plain:
    def decompress(self, piece: bytes, most: int) -> bytes:
        return piece[:most]


class _Deflate:
    """With the frame of zlib, as the RFC has it, or without, as some servers send it."""

    def __init__(self) -> None:
        self._inner: Any = None

    def decompress(self, piece: bytes, most: int) -> bytes:
        if self._inner is None:
            is_framed = piece[:1] and piece[0] & 0x0F == 8
            self._inner = zlib.decompressobj(zlib.MAX_WBITS if is_framed else -zlib.MAX_WBITS)
        return bytes(self._inner.decompress(piece, most))


def _unpacker(encoding: str) -> Any:
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _Plain()
    if name in {"gzip", "x-gzip"}:
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    if name == "deflate":
        return _Deflate()
    raise Unreadable(
        f"The answer is packed as {name[:40]}, which was not asked for.", was_sent=True
    )


def _problem(error: Exception, request: Request) -> OutsideProblem:
    """What went wrong, in a sentence, and whether the request can have had an effect."""
    host = URL(request.url).host or "The address"
    if forbidden := _cause(error, Forbidden):
        return Refused(forbidden.sentence)
    if isinstance(error, aiohttp.InvalidURL):
        return Refused(f"“{request.url[:100]}” is not an address that can be called.")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return NoAnswer(f"{host} does not prove who it is: its certificate is not valid.")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NoAnswer(f"There is no machine named {host}.")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return NoAnswer(f"{host} could not be reached.")
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError):
        return NoAnswer(f"{host} closed the connection without an answer.", was_sent=True)
    if isinstance(
        error, aiohttp.ClientPayloadError | aiohttp.ClientResponseError | ValueError | zlib.error
    ):
        return Unreadable(f"{host} answered with something that can not be read.", was_sent=True)
    return NoAnswer(f"{host} did not answer.", was_sent=True)


def _cause(error: BaseException | None, wanted: type[Forbidden]) -> Forbidden | None:
    """The error of that kind behind another, wherever it was wrapped."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, wanted):
            return error
        inner = getattr(error, "os_error", None)
        error = (
            inner
            if isinstance(inner, BaseException) and inner is not error
            else error.__cause__ or error.__context__
        )
    return None
