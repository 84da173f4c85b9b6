"""The wallet over HTTP: balances, entries page by page, statements as files, and what a message cost."""

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import event

from aerostic.core import clock
from aerostic.domain.billing import queries, service
from aerostic.domain.billing.models import LedgerEntry
from tests.clients import member
from tests.domain.test_ledger import EURO, MARKETING, charging, tell, write
from tests.mailbox import mails_to, text_of

V1 = "/api/v1"


@pytest.fixture
def place(make_place):
    return make_place("Bluebird Café", funds=EURO)


def test_the_owner_sees_balances_and_entries_and_nobody_else_does(place, rival):
    first, second = write(place), write(place)
    tell(place, first, charging.Outcome.DELIVERED)
    tell(place, second, charging.Outcome.FAILED)
    owner = member(place)
    wallet = owner.get(f"{V1}/wallet").json()
    assert (wallet["currency"], wallet["available_micros"], wallet["held_micros"]) == (
        "USD",
        EURO - MARKETING,
        0,
    )
    seen, cursor = [], None
    while True:
        query = {"postings": True, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = owner.get(f"{V1}/wallet/entries", params=query).json()
        seen += [(one["kind"], one["change_micros"]) for one in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == [
        ("void", MARKETING),
        ("capture", 0),
        ("hold", -MARKETING),
        ("hold", -MARKETING),
        ("top_up", EURO),
    ]
    everything = owner.get(f"{V1}/wallet/entries").json()["items"]
    assert sum(one["micros"] for one in everything) == 0
    assert member(place, "admin").get(f"{V1}/wallet").status_code == 403
    others = member(rival).get(f"{V1}/wallet/entries", params={"message_id": str(first)})
    assert others.json()["items"] == []


def test_each_message_says_what_it_cost_and_why(place, rival):
    message_id = write(place)
    tell(place, message_id, charging.Outcome.DELIVERED)
    found = member(place).get(f"{V1}/messages/{message_id}/charge").json()
    assert (found["state"], found["micros"], found["market"]) == ("captured", MARKETING, "Germany")
    assert found["why"] == "Marketing to Germany: 0.1365 USD by the rate card."
    assert [one["kind"] for one in found["entries"]] == ["hold", "capture"]
    assert member(rival).get(f"{V1}/messages/{message_id}/charge").status_code == 404


def test_a_statement_is_a_file_for_a_spreadsheet_or_for_the_books(place):
    tell(place, write(place), charging.Outcome.DELIVERED)
    days = {"since": str(clock.today() - timedelta(days=1)), "until": str(clock.today())}
    answer = member(place).get(f"{V1}/wallet/statement.csv", params=days)
    lines = [line.split(",")[1:5] for line in answer.text.splitlines()]
    assert lines == [
        ["kind", "amount", "change_of_balance", "currency"],
        ["top_up", "1.00", "1.00", "USD"],
        ["hold", "0.1365", "-0.1365", "USD"],
        ["capture", "0.1365", "0.00", "USD"],
    ]
    answer = member(place).get(f"{V1}/wallet/statement.pdf", params=days)
    assert answer.headers["content-type"] == "application/pdf"
    text = PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    assert "Bluebird Café" in text
    assert "0.8635" in text
    wrong = {"since": days["until"], "until": days["since"]}
    assert member(place).get(f"{V1}/wallet/statement.csv", params=wrong).status_code == 422


def test_a_long_statement_is_read_in_blocks_and_too_long_a_one_refused(place, monkeypatch):
    ids = [write(place) for _ in range(4)]
    days = {"since": str(clock.today() - timedelta(days=1)), "until": str(clock.today())}
    monkeypatch.setattr(queries, "AT_A_TIME", 2)
    lines = member(place).get(f"{V1}/wallet/statement.csv", params=days).text.splitlines()
    assert [line.split(",")[5] for line in lines[2:]] == [str(one) for one in ids]
    monkeypatch.setattr(queries, "MOST_LINES", 4)
    refused = member(place).get(f"{V1}/wallet/statement.csv", params=days)
    assert (refused.status_code, "more than 4 postings" in refused.text) == (422, True)


def test_of_a_long_statement_only_a_few_lines_are_read_at_once(place, monkeypatch):
    for _ in range(7):
        write(place)
    monkeypatch.setattr(queries, "AT_A_TIME", 2)
    days = clock.today() - timedelta(days=1), clock.today()
    read: list[LedgerEntry] = []

    def count(entry: LedgerEntry, _: object) -> None:
        read.append(entry)

    event.listen(LedgerEntry, "load", count)
    with place.work() as ctx:
        found = iter(queries.postings(ctx, *days))
        assert next(found).kind == "top_up"
        assert len(read) == 2
        assert [one.kind for one in found] == ["hold"] * 7
    event.remove(LedgerEntry, "load", count)


def test_owners_are_told_once_each_time_the_balance_falls_below_their_line(place, run_jobs):
    from workers.jobs import billing

    owner = member(place)
    answer = owner.patch(f"{V1}/wallet", json={"low_balance_micros": 800_000})
    assert answer.json()["is_low"] is False

    def told() -> int:
        billing.tell_low()
        run_jobs()
        return len(mails_to(place.emails["owner"]))

    write(place)
    assert told() == 0
    write(place)
    write(place)
    assert told() == 1
    assert "0.5905 USD left" in text_of(mails_to(place.emails["owner"])[0])
    assert owner.get(f"{V1}/wallet").json()["is_low"] is True
    with place.system_work() as ctx:
        service.top_up(ctx, EURO, key="again")
    assert owner.get(f"{V1}/wallet").json()["is_low"] is False
    for _ in range(6):
        write(place)
    assert told() == 2
    assert mails_to(place.emails["admin"]) == []
