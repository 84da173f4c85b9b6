"""Requests to Google: asynchronous, with limits on size and time, and every refusal in words.

A request is made once. Only what never left is surely without effect (`NotReached`); an answer that did not
come leaves open whether the thing was done (`NoAnswer`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from aerostic.integrations.google import errors

CONNECT_SECONDS = 5
ANSWER_SECONDS = 50
MOST_JSON = 10_000_000
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower case) and body, whatever they say."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return orjson.loads(self.body) if self.body else {}
        except orjson.JSONDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class Request:
    """`token`: whose access; `most_bytes`: how large an answer is taken in."""

    method: str
    url: str
    token: str = field(default="", repr=False)
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    body: bytes | None = None
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    most_bytes: int = MOST_JSON


class GoogleClient:
    """Keeps connections while it is entered. `renew(token)` gives another for one that is not taken."""

    def __init__(
        self,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        renew: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self._seconds = answer_seconds
        self._renew = renew
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._seconds, connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # It would send a PUT again by itself where a connection was closed, and nobody would know.
        self._session._retry_connection = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def service(self, request: Request) -> Answer:
        """Ask Drive or Sheets. Raises GoogleProblem unless it agreed."""
        answer = await self.send(request)
        if answer.status == 401 and self._renew is not None:  # so nothing was done
            answer = await self.send(replace(request, token=await self._renew(request.token)))
        if not answer.is_success:
            raise errors.of_service(answer.status, answer.json())
        return answer

    async def object(self, request: Request) -> dict[str, Any]:
        """Ask Drive or Sheets for a JSON object. Raises GoogleProblem."""
        found = (await self.service(request)).json()
        if not isinstance(found, dict):
            raise errors.NoAnswer("Google answered with something that can not be read.")
        return found

    async def send(self, request: Request) -> Answer:
        """Ask once. Raises GoogleProblem where no answer came."""
        if self._session is None:
            raise RuntimeError("enter the client first")
        try:
            async with self._session.request(
                request.method,
                request.url,
                params=_query(request.query),
                data=_body(request),
                headers=_headers(request),
                allow_redirects=False,  # a token never follows a redirect
            ) as response:
                body = await _read(response, request.most_bytes)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise errors.NotReached("Google can not be reached. Is the server online?") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.NoAnswer(
                "Google did not answer in time. Whether it was done is not known."
            ) from error


def _query(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        each = value if isinstance(value, list) else [value]
        pairs += [(name, _word(one)) for one in each if one is not None]
    return pairs


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(request: Request) -> BytesIO | bytes | aiohttp.FormData | None:
    if request.form is not None:
        return aiohttp.FormData(dict(request.form))
    if request.json is not None:
        return orjson.dumps(request.json)
    return None if request.body is None else BytesIO(request.body)


def _headers(request: Request) -> dict[str, str]:
    headers = {"Accept": "*/*", **request.headers}
    if request.token:
        headers["Authorization"] = f"Bearer {request.token}"
    if request.json is not None:
        headers["Content-Type"] = "application/json"
    elif request.content_type:
        headers["Content-Type"] = request.content_type
    return headers


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        body += piece
        if len(body) > most:
            raise errors.TooLarge(
                f"That is larger than {most / 1_000_000:g} MB, so it was not taken in."
            )
    return bytes(body)
