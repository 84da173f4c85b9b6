"""Fetch a file from Meta: first where it lies, then itself, with the token and never beyond Meta's own hosts.

Source: Cloud API, media reference: the address holds for five minutes and needs the token.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from aerostic.core.errors import Refused, Unavailable
from aerostic.core.settings import settings
from aerostic.integrations.meta.proofs import Proofs

FILE_HOSTS = frozenset({"lookaside.fbsbx.com"})
CHUNK = 64 * 1024


class Gone(Refused):
    """The file is not to be had any more, or never was."""

    code = "file_gone"


class NotNow(Unavailable):
    """Meta does not answer, or asks for patience."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What Meta says about a file. `sha256` is base64 or hex, as Meta pleases."""

    url: str
    mime_type: str
    sha256: str
    size: int


class MediaClient:
    """Fetches files of one account with its token. Use as a context manager."""

    def __init__(self, access_token: str, *, graph_version: str | None = None) -> None:
        version = graph_version or settings().meta_graph_version
        self._base = f"{settings().meta_graph_url}/{version}"
        self._token, self._proofs = access_token, Proofs()
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=httpx.Timeout(30, connect=10),
            follow_redirects=False,  # the token goes where we send it, and no further
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def find(self, meta_media_id: str, *, phone_number_id: str = "") -> FileFacts:
        """Where the file lies. Raises Gone or NotNow."""
        if not meta_media_id.isalnum():
            raise Gone("WhatsApp named this file in a way that can not be asked for.")
        asked = {"phone_number_id": phone_number_id} if phone_number_id else {}
        answer = self._ask(meta_media_id, asked)
        _check_reason(answer)
        _check(answer.status_code)
        told = _json(answer)
        return FileFacts(
            url=str(told.get("url") or ""),
            mime_type=str(told.get("mime_type") or ""),
            sha256=str(told.get("sha256") or ""),
            size=_number(told.get("file_size")),
        )

    def _ask(self, path: str, asked: dict[str, str]) -> httpx.Response:
        proof = self._proofs.of(self._token) or {}
        try:
            answer = self._http.get(f"{self._base}/{path}", params=asked | proof)
        except httpx.HTTPError as error:
            raise NotNow("WhatsApp does not answer.") from error
        is_refused = answer.status_code == 400
        if is_refused and self._proofs.has_another(self._token, _json(answer).get("error")):
            return self._ask(path, asked)
        return answer

    @contextmanager
    def open(self, url: str) -> Iterator[Iterator[bytes]]:
        """The file's bytes, in pieces. Raises Gone or NotNow."""
        if not is_metas(url):
            raise Gone("WhatsApp named an address for this file that is not WhatsApp's own.")
        try:
            with self._http.stream("GET", url) as answer:
                _check(answer.status_code)
                yield answer.iter_bytes(CHUNK)
        except httpx.HTTPError as error:
            raise NotNow("The file stopped coming.") from error


def is_metas(url: str) -> bool:
    """Whether the token may go there: the configured Graph API's own host, or Meta's host for files."""
    asked, base = urlsplit(url), urlsplit(settings().meta_graph_url)
    if asked.username or asked.password:
        return False
    if (asked.scheme, asked.netloc) == (base.scheme, base.netloc):
        return True
    return asked.scheme == "https" and asked.netloc in FILE_HOSTS


# Meta answers 400 for reasons that pass as well: the token, a right of the app, too many calls.
OF_THE_TOKEN = frozenset({0, 3, 10, 102, 190}) | frozenset(range(200, 300))
TOO_MANY = frozenset({1, 2, 4, 80007, 130429})


def _check_reason(answer: httpx.Response) -> None:
    if answer.status_code != 400:
        return
    error = _json(answer).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if code in OF_THE_TOKEN:
        _check(401)
    if code in TOO_MANY:
        _check(429)


def _check(status: int) -> None:
    if status == 200:
        return
    if status in {429} or status >= 500:
        raise NotNow("WhatsApp is busy.")
    if status in {401, 403}:
        raise NotNow("WhatsApp does not accept the account's token. Connect the account again.")
    raise Gone("WhatsApp does not have this file any more.")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError as error:
        raise NotNow("WhatsApp's answer made no sense.") from error
    if not isinstance(told, dict):
        raise NotNow("WhatsApp's answer made no sense.")
    return told


def _number(value: object) -> int:
    return int(value) if isinstance(value, (int, str)) and str(value).isdigit() else 0
