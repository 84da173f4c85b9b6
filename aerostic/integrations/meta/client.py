"""Meta's Cloud API for sending: asynchronous, one session for many numbers. Management is in `management.py`.

Meta has no idempotency key, so the answer to a send says which of four things is known: it was taken, it was
refused, it never left us, or nobody can tell. Nothing here tries again by itself, but with another proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from aerostic.core.settings import settings
from aerostic.integrations.meta.errors import GraphError, parse
from aerostic.integrations.meta.proofs import Proofs

CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
UPLOAD_SECONDS = 300
CONNECTIONS = 1200
# Shorter than Meta's own, so that a request rarely meets a connection that is just being closed.
KEEP_ALIVE_SECONDS = 15
TAKEN = "accepted"
MINUTES_TO_REGAIN = "estimated_time_to_regain_access"


@dataclass(frozen=True, slots=True)
class Access:
    """Which number speaks, with which token. Its text never shows the token."""

    phone_number_id: str
    token: str
    version: str

    def __repr__(self) -> str:
        return f"Access({self.phone_number_id})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta has taken the message under this id."""

    meta_message_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """Meta knows the message but has not sent it: `held_for_quality_assessment` or `paused`."""

    meta_message_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Meta answered that it does not take the message."""

    error: GraphError


@dataclass(frozen=True, slots=True)
class NeverLeft:
    """No connection came about: the request was not sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The request was on its way and no answer that could be read came back."""

    reason: str


SendResult = Accepted | Held | Refused | NeverLeft | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Meta's id of a file. Meta keeps it for 30 days."""

    meta_media_id: str


class GraphClient:
    """One per process: keeps connections open and shares them among numbers. An async context manager."""

    def __init__(
        self,
        *,
        graph_url: str = "",
        app_secret: str | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._url = graph_url or settings().meta_graph_url
        self._proofs = Proofs(None if app_secret is None else [app_secret])
        self._patience = _timeout(answer_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, ttl_dns_cache=60
            ),
            timeout=self._patience,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, access: Access, body: Mapping[str, Any], *, marketing: bool = False
    ) -> SendResult:
        """`POST /{number}/messages`, or `/marketing_messages`. At most one request that Meta looks into."""
        answer = await self._post(
            access, "marketing_messages" if marketing else "messages", orjson.dumps(body)
        )
        if not isinstance(answer, _Answer):
            return answer
        if error := answer.error():
            return Refused(error)
        return _taken(answer)

    async def mark_read(
        self, access: Access, meta_message_id: str, *, typing: bool = False
    ) -> bool:
        """Show the blue ticks on a message of theirs, and perhaps that someone is typing. True: done."""
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": meta_message_id,
        }
        if typing:
            body["typing_indicator"] = {"type": "text"}
        answer = await self._post(access, "messages", orjson.dumps(body))
        return isinstance(answer, _Answer) and answer.error() is None

    async def upload(
        self, access: Access, path: Path, mime_type: str, file_name: str
    ) -> Uploaded | Refused | NeverLeft:
        """`POST /{number}/media`. Doing it twice is harmless, so a lost answer counts as never left."""
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("messaging_product", "whatsapp")
            form.add_field("type", mime_type)
            form.add_field("file", file, filename=file_name or path.name, content_type=mime_type)
            answer = await self._request(access, "media", form, timeout=_timeout(UPLOAD_SECONDS))
        if not isinstance(answer, _Answer):
            return NeverLeft(answer.reason)
        if self._proofs.has_another(access.token, answer.json.get("error")):
            return await self.upload(access, path, mime_type, file_name)
        if error := answer.error():
            return Refused(error)
        found = answer.json.get("id")
        return Uploaded(str(found)) if found else NeverLeft("Meta answered without an id")

    async def _post(
        self, access: Access, path: str, body: bytes
    ) -> "_Answer | NeverLeft | OutcomeUnknown":
        answer = await self._request(access, path, body)
        while isinstance(answer, _Answer) and self._proofs.has_another(
            access.token, answer.json.get("error")
        ):
            answer = await self._request(access, path, body)
        return answer

    async def _request(
        self,
        access: Access,
        path: str,
        body: bytes | aiohttp.FormData,
        *,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> "_Answer | NeverLeft | OutcomeUnknown":
        if self._session is None:
            raise RuntimeError("enter the client first")
        headers = {"Authorization": f"Bearer {access.token}"}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.post(
                f"{self._url}/{access.version}/{access.phone_number_id}/{path}",
                data=body,
                headers=headers,
                params=self._proofs.of(access.token),
                allow_redirects=False,  # a token never follows a redirect
                timeout=timeout or self._patience,
            ) as response:
                return _Answer.of(response.status, response.headers, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NeverLeft(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return OutcomeUnknown(type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Meta answered, as far as it could be read. `json` is empty where it could not."""

    status: int
    json: dict[str, Any]
    retry_after: float | None

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], raw: bytes) -> "_Answer | OutcomeUnknown":
        """An answer of our own kind of conversation, or nothing that could be relied on."""
        try:
            body = orjson.loads(raw)
        except ValueError:
            body = None
        told = isinstance(body, dict) and (status < 300 or isinstance(body.get("error"), dict))
        if told:
            return cls(status, body, _seconds_to_wait(headers))
        if (
            400 <= status < 500 and status != 408
        ):  # refused on the way, without an envelope: it was not taken
            return cls(status, {"error": {"message": f"HTTP {status}"}}, _seconds_to_wait(headers))
        return OutcomeUnknown(f"HTTP {status}")

    def error(self) -> GraphError | None:
        """Meta's refusal, or None where it agreed."""
        told = self.json.get("error")
        if not isinstance(told, dict):
            return None
        return parse(told, status=self.status, retry_after=self.retry_after)


def _taken(answer: _Answer) -> SendResult:
    messages = answer.json.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    if not isinstance(first, dict) or not first.get("id"):
        return OutcomeUnknown("Meta agreed without naming the message")
    status = first.get("message_status", TAKEN)
    if status == TAKEN:
        return Accepted(str(first["id"]))
    return Held(str(first["id"]), str(status))


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    """So long may Meta be silent; a connection comes about sooner or not at all."""
    return aiohttp.ClientTimeout(
        total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=seconds
    )


def _seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, or Meta's own header in minutes. None: it did not say."""
    try:
        return float(headers["Retry-After"])
    except (KeyError, ValueError):
        pass
    try:
        usage = orjson.loads(headers["X-Business-Use-Case-Usage"])
        minutes = [float(one[MINUTES_TO_REGAIN]) for each in usage.values() for one in each]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return max(minutes) * 60 if minutes and max(minutes) > 0 else None
