"""Meta's management calls: accounts, numbers, templates. Slow and rare, so plain and synchronous.

Sending lives in `client.py`. Sources: Graph API reference for WhatsApp Business accounts, phone numbers and
message templates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from aerostic.core.errors import Refused, Unavailable
from aerostic.core.settings import settings
from aerostic.integrations.meta.proofs import Proofs
from aerostic.integrations.meta.template_refusals import template_refusal

NUMBER_FIELDS = (
    "verified_name,display_phone_number,quality_rating,throughput,status,platform_type,"
    "whatsapp_business_manager_messaging_limit,is_on_biz_app"
)
TEMPLATE_FIELDS = (
    "id,name,language,category,status,quality_score,parameter_format,rejected_reason,components,"
    "message_send_ttl_seconds"
)
UPLOAD_SECONDS = 120
PER_SECOND = {"STANDARD": 80, "HIGH": 1000}


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What Meta says about a phone number now."""

    phone_number_id: str
    display_phone_number: str
    verified_name: str
    quality_rating: str
    messaging_limit: str
    messages_per_second: int
    is_coexistence: bool


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """One language variant of a template as Meta lists it."""

    meta_template_id: str
    name: str
    language: str
    category: str
    status: str
    quality: str = "UNKNOWN"
    parameter_format: str = "POSITIONAL"
    rejection_reason: str | None = None
    components: list[dict[str, Any]] = field(default_factory=list)
    ttl_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """What Meta answered to a new template. It may have moved it to another category."""

    meta_template_id: str
    status: str
    category: str


class TokenRefused(Refused):
    """Meta does not accept the access token (any more)."""

    code = "token_refused"


class Management:
    """Calls for one account with its token. Use as a context manager."""

    def __init__(self, access_token: str, *, graph_version: str | None = None) -> None:
        version = graph_version or settings().meta_graph_version
        self._token, self._proofs = access_token, Proofs()
        self._url = f"{settings().meta_graph_url}/{version}"
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=20,
            follow_redirects=False,  # a token never follows a redirect
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

    def account(self, meta_account_id: str) -> dict[str, Any]:
        """Name and owner of a WhatsApp Business account. Refused if the token can not see it."""
        return self._get(meta_account_id, fields="id,name,currency,owner_business_info")

    def number(self, phone_number_id: str) -> NumberFacts:
        """A phone number's state, quality and limits."""
        return _number_facts(self._get(phone_number_id, fields=f"id,{NUMBER_FIELDS}"))

    def numbers_of(self, meta_account_id: str) -> list[NumberFacts]:
        """Every phone number of an account."""
        path = f"{meta_account_id}/phone_numbers"
        return [_number_facts(row) for row in self._pages(path, fields=f"id,{NUMBER_FIELDS}")]

    def subscribe(self, meta_account_id: str) -> None:
        """Have the account's webhooks sent to our app."""
        self._ask("POST", f"{meta_account_id}/subscribed_apps")

    def unsubscribe(self, meta_account_id: str) -> None:
        """No more webhooks of this account."""
        self._ask("DELETE", f"{meta_account_id}/subscribed_apps")

    def templates(self, meta_account_id: str) -> list[TemplateFacts]:
        """Every template of an account, complete or not at all: a failing page raises."""
        path = f"{meta_account_id}/message_templates"
        rows = self._pages(path, fields=TEMPLATE_FIELDS, limit=100)
        return [_template_facts(row) for row in rows]

    def template(self, meta_account_id: str, name: str, language: str) -> TemplateFacts | None:
        """One language of a template, if Meta has it."""
        path = f"{meta_account_id}/message_templates"
        rows = self._pages(path, fields=TEMPLATE_FIELDS, limit=100, name=name)
        found = (row for row in rows if (row["name"], row["language"]) == (name, language))
        row = next(found, None)
        return _template_facts(row) if row else None

    def create_template(self, meta_account_id: str, wanted: Mapping[str, Any]) -> Submitted:
        """Submit a template for review. Raises TemplateRefused in Meta's words."""
        told = self._ask("POST", f"{meta_account_id}/message_templates", body=wanted)
        category = str(told.get("category") or wanted["category"])
        return Submitted(str(told["id"]), str(told.get("status") or "PENDING"), category)

    def edit_template(self, meta_template_id: str, wanted: Mapping[str, Any]) -> None:
        """Submit other contents for a template that Meta has. Raises TemplateRefused."""
        self._ask("POST", meta_template_id, body=wanted)

    def delete_template(
        self, meta_account_id: str, name: str, *, meta_template_id: str | None = None
    ) -> None:
        """One language by its id, or every language of the name."""
        which = {"name": name} | ({"hsm_id": meta_template_id} if meta_template_id else {})
        self._ask("DELETE", f"{meta_account_id}/message_templates", which)

    def upload_sample(self, path: Path, *, file_name: str, mime_type: str) -> str:
        """Upload the sample of a header by Meta's resumable upload; return its handle.

        An upload that broke off goes on where Meta says it stands. Source: Graph API, resumable upload.
        """
        size = path.stat().st_size
        asked: dict[str, str | int] = {
            "file_name": file_name,
            "file_length": size,
            "file_type": mime_type,
        }
        session = str(self._ask("POST", f"{settings().meta_app_id}/uploads", asked)["id"])
        try:
            told = self._upload(session, path, 0)
        except Unavailable:
            told = self._upload(session, path, self._received(session))
        if not told.get("h"):
            raise Unavailable("Meta did not take the whole file. Try again.")
        return str(told["h"])

    def _upload(self, session: str, path: Path, offset: int) -> dict[str, Any]:
        with path.open("rb") as file:
            file.seek(offset)
            headers = {"file_offset": str(offset), "Authorization": f"OAuth {self._token}"}
            content = file.read()
        return self._ask("POST", session, content=content, headers=headers)

    def _received(self, session: str) -> int:
        headers = {"Authorization": f"OAuth {self._token}"}
        return int(self._ask("GET", session, headers=headers).get("file_offset", 0))

    def _pages(self, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """Every row. Meta: follow `paging.next` until it is absent; anything else would lose rows."""
        asked: dict[str, str | int] = dict(parameters)
        seen = set[str]()
        while True:
            page = self._get(path, **asked)
            if not isinstance(page.get("data"), list):
                raise Unavailable("Meta answered without a list. Try again.")
            yield from page["data"]
            onwards = page.get("paging", {}).get("next")
            if not onwards:
                return
            if onwards in seen:
                raise Unavailable("Meta's list leads in a circle. Try again.")
            seen.add(onwards)
            asked = {**parameters, **_place_in_list(onwards)}

    def _get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        return self._ask("GET", path, parameters)

    def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        query = {**(parameters or {}), **(self._proofs.of(self._token) or {})}
        patience = UPLOAD_SECONDS if content is not None else self._http.timeout
        try:
            response = self._http.request(
                method,
                f"{self._url}/{path}",  # whole: `upload:…` alone would read as an address
                params=query,
                json=body,
                content=content,
                headers=headers,
                timeout=patience,
            )
        except httpx.HTTPError as error:
            raise Unavailable("Meta did not answer. Try again in a minute.") from error
        told = _json(response)
        if response.is_success:
            return told
        error_node = told.get("error")
        if self._proofs.has_another(self._token, error_node):
            return self._ask(method, path, parameters, body=body, content=content, headers=headers)
        raise _refusal(error_node if isinstance(error_node, dict) else {})


def _place_in_list(onwards: str) -> dict[str, str]:
    """Where the next page begins. Only the cursor: a token goes to no address that an answer names."""
    named = dict(parse_qsl(urlsplit(onwards).query))
    place = {name: named[name] for name in ("after", "offset") if named.get(name)}
    if not place:
        raise Unavailable("Meta's list goes on, but does not say where. Try again.")
    return place


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        raise Unavailable("Meta answered with something unreadable. Try again.") from None
    return body if isinstance(body, dict) else {}


def _refusal(error: dict[str, Any]) -> Refused | Unavailable:
    code, message = error.get("code"), error.get("message", "no reason given")
    if code in {0, 102, 190}:
        return TokenRefused(
            "Meta does not accept this access token. Make a new one and paste it here."
        )
    if code in {3, 10} or (isinstance(code, int) and 200 <= code < 300):
        return Refused(
            "The token lacks a permission: it needs whatsapp_business_management and "
            "whatsapp_business_messaging for this account."
        )
    if refused := template_refusal(error):
        return refused
    if code in {33, 100}:
        return Refused("Meta knows no such id, or the token can not see it. Check the ids.")
    if code in {1, 2, 4, 80007} or error.get("is_transient"):
        return Unavailable("Meta is busy. Try again in a few minutes.")
    return Refused(f"Meta refused: {message}")


def _number_facts(row: dict[str, Any]) -> NumberFacts:
    limit = row.get("whatsapp_business_manager_messaging_limit")
    level = (row.get("throughput") or {}).get("level", "STANDARD")
    is_coexistence = row.get("is_on_biz_app", False) is True
    return NumberFacts(
        phone_number_id=str(row["id"]),
        display_phone_number=row.get("display_phone_number", ""),
        verified_name=row.get("verified_name", ""),
        quality_rating=row.get("quality_rating") or "UNKNOWN",
        messaging_limit=str(limit or ""),
        # Meta fixes a number that is also on the WhatsApp Business app at 20 a second.
        messages_per_second=20 if is_coexistence else PER_SECOND.get(level, 80),
        is_coexistence=is_coexistence,
    )


def _template_facts(row: dict[str, Any]) -> TemplateFacts:
    rejected = row.get("rejected_reason")
    return TemplateFacts(
        meta_template_id=str(row["id"]),
        name=row["name"],
        language=row["language"],
        category=row.get("category", ""),
        status=row.get("status", ""),
        quality=(row.get("quality_score") or {}).get("score", "UNKNOWN"),
        parameter_format=row.get("parameter_format") or "POSITIONAL",
        rejection_reason=None if rejected in {None, "NONE"} else rejected,
        components=row.get("components", []),
        ttl_seconds=row.get("message_send_ttl_seconds"),
    )
