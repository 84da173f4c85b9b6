"""Google as the product asks it, against a stand-in that refuses what Google's reference refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import pytest

from aerostic.integrations.google import errors, oauth
from aerostic.integrations.google.client import GoogleClient, Request
from aerostic.integrations.google.drive import AT_ONCE, Drive, id_of
from aerostic.integrations.google.oauth import Scope
from aerostic.integrations.google.sheets import Sheets
from tests.google import AMARA, DRIVE, LENA, SHEETS, GoogleHouse

T = TypeVar("T")
VERIFIER = "v" * 64
BOTH = (Scope.DRIVE, Scope.SHEETS)


def consent(scopes: Any = BOTH) -> str:
    return oauth.consent_url(state="s", verifier=VERIFIER, scopes=scopes)


def signed_in(house: GoogleHouse, **choice: Any) -> oauth.Tokens:
    back = house.allow(consent(), **choice)
    assert back["state"] == "s"
    return asyncio.run(oauth.trade_code(back["code"], VERIFIER))


def asking(house: GoogleHouse, work: Callable[[GoogleClient, str], Awaitable[T]]) -> T:
    async def asked() -> T:
        async with GoogleClient() as client:
            return await work(client, tokens.access)

    tokens = signed_in(house)
    return asyncio.run(asked())


def raw(token: str, method: str, url: str, **more: Any) -> httpx.Response:
    return httpx.request(method, url, headers={"Authorization": f"Bearer {token}"}, **more)


# Sign-in


def test_a_code_is_traded_for_what_was_ticked(google_house):
    tokens = signed_in(google_house, scopes=[SHEETS])
    assert SHEETS in tokens.scopes
    assert DRIVE not in tokens.scopes
    assert tokens.refresh
    person = asyncio.run(oauth.person(tokens.access))
    assert (person.subject, person.email) == (AMARA, "amara.okafor@gmail.test")


def test_a_code_works_once_and_only_with_its_verifier(google_house):
    back = google_house.allow(consent())
    with pytest.raises(errors.GrantGone):
        asyncio.run(oauth.trade_code(back["code"], "w" * 64))
    with pytest.raises(errors.GrantGone):
        asyncio.run(oauth.trade_code(back["code"], VERIFIER))


def test_scopes_grow_with_each_consent(google_house):
    first = google_house.allow(consent([Scope.SHEETS]))
    asyncio.run(oauth.trade_code(first["code"], VERIFIER))
    second = google_house.allow(consent([Scope.DRIVE]))
    tokens = asyncio.run(oauth.trade_code(second["code"], VERIFIER))
    assert {SHEETS, DRIVE} <= tokens.scopes


def test_a_refresh_gives_new_access_until_the_grant_is_revoked(google_house):
    tokens = signed_in(google_house)
    again = asyncio.run(oauth.refresh(tokens.refresh))
    assert again.access != tokens.access
    assert again.refresh == ""
    asyncio.run(oauth.revoke(tokens.refresh))
    assert google_house.grant() == {"scopes": [], "access": 0, "refresh": 0}
    with pytest.raises(errors.GrantGone):
        asyncio.run(oauth.refresh(tokens.refresh))
    asyncio.run(oauth.revoke(tokens.refresh))  # already gone: no problem


def test_a_wrong_client_is_said_to_be_the_operators_matter(google_house, monkeypatch):
    from aerostic.core.settings import settings

    tokens = signed_in(google_house)
    monkeypatch.setenv("AEROSTIC_GOOGLE_CLIENT_SECRET", "another")
    settings.cache_clear()
    with pytest.raises(errors.NotSetUp, match="invalid_client"):
        asyncio.run(oauth.refresh(tokens.refresh))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client_id": "else"}, "invalid_client"),
        ({"redirect_uri": "http://elsewhere.example/cb"}, "redirect_uri_mismatch"),
        ({"code_challenge_method": "plain"}, "S256"),
        ({"code_challenge": "short"}, "code_challenge"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"prompt": "please"}, "Invalid prompt"),
        ({"colour": "blue"}, "colour"),
        ({"response_type": "token"}, "response_type"),
    ],
)
def test_the_consent_page_refuses_what_google_refuses(google_house, change, said):
    answer = httpx.get(httpx.URL(consent()).copy_merge_params(change))
    assert answer.status_code in (400, 401)
    assert said in answer.text


# Drive


def test_a_file_is_uploaded_found_read_and_shared(google_house):
    async def work(client: GoogleClient, token: str) -> None:
        drive = Drive(client, token)
        made = await drive.upload("It's a list.txt", b"a\nb\xff", mime_type="text/plain")
        found = await drive.find(name="it's a li")
        assert [one["id"] for one in found] == [made["id"]]
        content = await drive.read(str(made["id"]))
        assert (content.body, content.mime_type) == (b"a\nb\xff", "text/plain")
        await drive.share(str(made["id"]), role="reader", email="lena.fischer@gmail.test")

    asking(google_house, work)
    kept = google_house.file("It's a list.txt")
    assert [(one["role"], one.get("emailAddress")) for one in kept["permissions"]] == [
        ("owner", "amara.okafor@gmail.test"),
        ("reader", "lena.fischer@gmail.test"),
    ]


def test_a_large_file_goes_by_a_session(google_house):
    body = b"0123456789" * (AT_ONCE // 10 + 1)

    async def work(client: GoogleClient, token: str) -> Any:
        return await Drive(client, token).upload("large.bin", body, mime_type="application/pdf")

    made = asking(google_house, work)
    assert made["size"] == str(len(body))
    assert made["mimeType"] == "application/pdf"


def test_a_spreadsheet_is_read_as_csv(google_house):
    file_id = google_house.file("Orders")["id"]

    async def work(client: GoogleClient, token: str) -> Any:
        signs = f"https://docs.google.com/spreadsheets/d/{file_id}/edit#gid=0"
        return await Drive(client, token).read(id_of(signs))

    content = asking(google_house, work)
    assert content.mime_type == "text/csv"
    assert content.body.startswith(b"Order,Customer,Status,Total\r\n1001,")


def test_another_persons_file_does_not_exist(google_house):
    theirs = google_house.file("Menu.txt", LENA)["id"]

    async def work(client: GoogleClient, token: str) -> Any:
        return await Drive(client, token).read(theirs)

    with pytest.raises(errors.Gone):
        asking(google_house, work)


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/drive/v3/files?page=2", {}, 400),
        ("GET", "/drive/v3/files?pageSize=0", {}, 400),
        ("GET", "/drive/v3/files?q=name+is+x", {}, 400),
        ("GET", "/drive/v3/files?fields=files(id", {}, 400),
        ("GET", "/drive/v3/files?fields=files(colour)", {}, 400),
        ("GET", "/drive/v3/files/nothing", {}, 404),
        ("POST", "/drive/v3/files", {"json": {"title": "v2"}}, 400),
        ("POST", "/drive/v3/files", {"json": {"name": 7}}, 400),
        ("POST", "/upload/drive/v3/files?uploadType=quick", {"content": b"x"}, 400),
        ("POST", "/upload/drive/v3/files?uploadType=multipart", {"content": b"x"}, 400),
    ],
)
def test_drive_refuses_what_google_refuses(google_house, method, path, more, status):
    answer = raw(signed_in(google_house).access, method, google_house.url + path, **more)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == status


@pytest.mark.parametrize(
    "body",
    [
        {"role": "reader", "type": "user"},
        {"role": "reader", "type": "anyone", "emailAddress": "a@example.test"},
        {"role": "boss", "type": "anyone"},
        {"role": "reader", "type": "anyone", "note": "x"},
    ],
)
def test_a_permission_must_be_one(google_house, body):
    file_id = google_house.file("Menu.txt")["id"]
    url = f"{google_house.url}/drive/v3/files/{file_id}/permissions"
    assert raw(signed_in(google_house).access, "POST", url, json=body).status_code == 400


# Sheets


def test_rows_are_appended_read_and_written(google_house):
    book = google_house.file("Leads")["id"]

    async def work(client: GoogleClient, token: str) -> Any:
        sheets = Sheets(client, token)
        name = await sheets.sheet(book, "leads")
        before = await sheets.table(book, name)
        place = await sheets.append(book, name, ["Ada", "+15550001111", "", "=1+1"])
        at = len(before.rows) + 2
        assert place == f"Leads!A{at}:D{at}"
        await sheets.write(book, name, at, {2: "ada@example.test"})
        return (await sheets.table(book, name)).named(at - 2)

    assert asking(google_house, work) == {
        "Name": "Ada",
        "Phone": "+15550001111",
        "E-mail": "ada@example.test",
        "Wish": "=1+1",  # as text: what a customer writes is never a formula
        "row": len(google_house.file("Leads")["values"]["Leads"]),
    }


def test_a_deleted_spreadsheet_and_a_missing_sheet_are_named(google_house):
    async def create(client: GoogleClient, token: str) -> str:
        url = f"{google_house.url}/v4/spreadsheets"
        told = await client.object(Request("POST", url, token, json={"properties": {"title": "T"}}))
        return str(told["spreadsheetId"])

    async def read(client: GoogleClient, token: str) -> Any:
        return await Sheets(client, token).sheet(book, "Prices")

    book = asking(google_house, create)
    with pytest.raises(errors.Gone, match="It has “Sheet1”"):
        asking(google_house, read)
    google_house.delete(book)
    with pytest.raises(errors.Gone, match="deleted"):
        asking(google_house, read)


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("GET", "/values/Nowhere!A1", None, "Unable to parse range"),
        ("GET", "/values/Orders!A1:ZZZ9", None, "exceeds grid limits"),
        ("GET", "/values/Orders?colour=1", None, "Cannot bind query parameter"),
        ("GET", "?fields=colour", None, "Invalid field selection"),
        ("POST", "/values/Orders:append", {"values": [[1]]}, "valueInputOption"),
        (
            "POST",
            "/values/Orders:append?valueInputOption=RAW",
            {"values": [[{"a": 1}]]},
            "Invalid value at 'data.values[0][0]'",
        ),
        (
            "POST",
            "/values/Orders:append?valueInputOption=RAW",
            {"values": ["text"]},
            "Invalid value at 'data.values[0]'",
        ),
        ("POST", "/values/Orders:append?valueInputOption=SOME", {"values": []}, "valueInputOption"),
        ("PUT", "/values/Orders!A1?valueInputOption=RAW", {"cells": []}, "Unknown name"),
        ("POST", "/values:batchUpdate", {"data": []}, "valueInputOption"),
    ],
)
def test_sheets_refuses_what_google_refuses(google_house, method, path, body, said):
    book = google_house.file("Orders")
    url = f"{google_house.url}/v4/spreadsheets/{book['id']}{path}"
    answer = raw(signed_in(google_house).access, method, url, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert said in answer.json()["error"]["message"]
    assert google_house.file("Orders")["values"] == book["values"]


# Who may


def test_without_a_token_and_without_the_scope(google_house):
    url = f"{google_house.url}/drive/v3/files"
    refused = raw("ya29.unknown", "GET", url)
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    tokens = signed_in(google_house, scopes=[SHEETS])
    refused = raw(tokens.access, "GET", url)
    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"

    async def work() -> None:
        async with GoogleClient() as client:
            await Drive(client, tokens.access).find()

    with pytest.raises(errors.NotAllowed, match="without this permission"):
        asyncio.run(work())


@pytest.mark.parametrize(("status", "kind"), [(429, errors.Busy), (503, errors.Busy)])
def test_trouble_may_pass(google_house, status, kind):
    async def work(client: GoogleClient, token: str) -> None:
        google_house.trouble(status)
        await Drive(client, token).find()

    with pytest.raises(kind) as raised:
        asking(google_house, work)
    assert raised.value.may_pass


def test_silence_and_nobody_there(google_house):
    async def silence(token: str) -> None:
        async with GoogleClient(answer_seconds=0.3) as client:
            google_house.trouble(0, times=1, seconds=2)
            await Drive(client, token).find()

    tokens = signed_in(google_house)
    with pytest.raises(errors.NoAnswer) as raised:
        asyncio.run(silence(tokens.access))
    assert not raised.value.may_pass

    async def nobody() -> None:
        async with GoogleClient() as client:
            await client.service(Request("GET", "http://127.0.0.1:1/"))

    with pytest.raises(errors.NotReached):
        asyncio.run(nobody())
