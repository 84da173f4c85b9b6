"""Google Drive: find, read, upload and share files. Sizes are limited before anything is kept in memory."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from aerostic.core.ids import new_id
from aerostic.integrations.google import errors
from aerostic.integrations.google.addresses import addresses
from aerostic.integrations.google.client import GoogleClient, Request

MOST_DOWNLOAD = 5_000_000
MOST_UPLOAD = 20_000_000
AT_ONCE = 4_000_000  # Drive takes up to 5 MB in one request; what is larger goes by a session
FIELDS = "id,name,mimeType,size,modifiedTime,webViewLink,parents"
FOLDER = "application/vnd.google-apps.folder"
OF_GOOGLE = "application/vnd.google-apps."
# What Google's own documents are read as.
EXPORTED = {
    "application/vnd.google-apps.document": "text/plain",
    "application/vnd.google-apps.spreadsheet": "text/csv",
    "application/vnd.google-apps.presentation": "text/plain",
}
_ID_IN_ADDRESS = re.compile(r"/(?:d|folders)/([A-Za-z0-9_-]{10,})")
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Content:
    """A file with what is in it."""

    file: Mapping[str, Any]
    mime_type: str
    body: bytes


def id_of(text: str) -> str:
    """The id in what a person pasted: an address from the browser, or the id. Raises GoogleProblem."""
    found = _ID_IN_ADDRESS.search(text)
    if found:
        return found[1]
    if not _ID.fullmatch(text.strip()):
        raise errors.NotUnderstood(
            f"“{text.strip()[:80]}” is neither the address nor the id of a file."
        )
    return text.strip()


class Drive:
    """For one access token."""

    def __init__(self, client: GoogleClient, token: str) -> None:
        self._client, self._token = client, token

    async def find(
        self, *, name: str = "", folder_id: str = "", limit: int = 20
    ) -> list[Mapping[str, Any]]:
        """Files, newest first: whose name holds `name`, in the folder."""
        terms = ["trashed = false"]
        if name:
            terms.append(f"name contains '{_quoted(name)}'")
        if folder_id:
            terms.append(f"'{_quoted(folder_id)}' in parents")
        asked = {
            "q": " and ".join(terms),
            "pageSize": limit,
            "orderBy": "modifiedTime desc",
            "fields": f"files({FIELDS})",
        }
        told = await self._client.object(
            Request("GET", f"{addresses().drive}/files", self._token, asked)
        )
        return list(told.get("files", []))

    async def file(self, file_id: str) -> Mapping[str, Any]:
        """A file's facts. Raises Gone."""
        return await self._client.object(
            Request("GET", self._address(file_id), self._token, {"fields": FIELDS})
        )

    async def read(self, file_id: str) -> Content:
        """A file and what is in it, up to MOST_DOWNLOAD; a document of Google's as text or CSV."""
        file = await self.file(file_id)
        kind = str(file.get("mimeType", ""))
        if int(file.get("size") or 0) > MOST_DOWNLOAD:
            raise errors.TooLarge(
                f"“{file.get('name')}” is larger than {MOST_DOWNLOAD / 1_000_000:g} MB."
            )
        if not kind.startswith(OF_GOOGLE):
            return Content(
                file, kind, await self._content(self._address(file_id), {"alt": "media"})
            )
        wished = EXPORTED.get(kind)
        if wished is None:
            raise errors.NotUnderstood(f"“{file.get('name')}” is nothing that can be read.")
        address = f"{self._address(file_id)}/export"
        return Content(file, wished, await self._content(address, {"mimeType": wished}))

    async def _content(self, address: str, query: Mapping[str, str]) -> bytes:
        asked = Request("GET", address, self._token, query, most_bytes=MOST_DOWNLOAD)
        return (await self._client.service(asked)).body

    async def upload(
        self, name: str, body: bytes, *, mime_type: str, folder_id: str = ""
    ) -> Mapping[str, Any]:
        """A new file. Small ones in one request, larger ones through a session."""
        if len(body) > MOST_UPLOAD:
            raise errors.TooLarge(f"At most {MOST_UPLOAD / 1_000_000:g} MB are uploaded.")
        told: dict[str, Any] = {"name": name, "mimeType": mime_type}
        if folder_id:
            told["parents"] = [folder_id]
        if len(body) > AT_ONCE:
            return await self._upload_in_session(told, body)
        return await self._upload_at_once(told, body)

    async def _upload_at_once(self, told: Mapping[str, Any], body: bytes) -> Mapping[str, Any]:
        mark = f"part-{new_id().hex}"
        whole = b"".join(
            (
                f"--{mark}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode(),
                orjson.dumps(told),
                f"\r\n--{mark}\r\nContent-Type: {told['mimeType']}\r\n\r\n".encode(),
                body,
                f"\r\n--{mark}--".encode(),
            )
        )
        return await self._client.object(
            Request(
                "POST",
                f"{addresses().upload}/files",
                self._token,
                {"uploadType": "multipart", "fields": FIELDS},
                body=whole,
                content_type=f"multipart/related; boundary={mark}",
            )
        )

    async def _upload_in_session(self, told: Mapping[str, Any], body: bytes) -> Mapping[str, Any]:
        announced = {
            "X-Upload-Content-Type": str(told["mimeType"]),
            "X-Upload-Content-Length": str(len(body)),
        }
        query = {"uploadType": "resumable", "fields": FIELDS}
        begun = await self._client.service(
            Request(
                "POST",
                f"{addresses().upload}/files",
                self._token,
                query,
                json=told,
                headers=announced,
            )
        )
        session = begun.headers.get("location", "")
        if not session.startswith(addresses().upload):  # the token goes nowhere else
            raise errors.NoAnswer("Google answered with something that can not be read.")
        kind = str(told["mimeType"])
        return await self._client.object(
            Request("PUT", session, self._token, body=body, content_type=kind)
        )

    async def share(
        self, file_id: str, *, role: str, email: str = "", notify: bool = False
    ) -> Mapping[str, Any]:
        """Let someone see or change a file; without an address, everyone who has the link."""
        whom = {"type": "user", "emailAddress": email} if email else {"type": "anyone"}
        query: dict[str, Any] = {"fields": "id,type,role"}
        if email:
            query["sendNotificationEmail"] = notify
        await self._client.object(
            Request(
                "POST",
                f"{self._address(file_id)}/permissions",
                self._token,
                query,
                json={"role": role, **whom},
            )
        )
        return await self.file(file_id)

    def _address(self, file_id: str) -> str:
        return f"{addresses().drive}/files/{quote(file_id, safe='')}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
