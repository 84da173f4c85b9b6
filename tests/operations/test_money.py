"""What an operator does with money on the command line."""

import pytest
from sqlalchemy import text

from aerostic.core.errors import Invalid
from aerostic.operations import money
from aerostic.operations.errors import OperationError
from tests.domain.test_ledger import balances
from tests.domain.test_prices import quote

HEADING = "currency,market,category,price,valid_from\n"


@pytest.fixture
def place(make_place):
    return make_place("Bluebird Café", funds=0)


def findings_of(place) -> list[str]:
    _, _, findings = money.verify()
    return [one for one in findings if one.startswith(place.slug)]


def test_money_comes_in_once_and_a_credit_line_lets_more_be_spent(place):
    for _ in range(2):
        assert money.top_up(place.slug, "12.50", key="invoice-1", note="") == "12.50 USD"
    assert money.adjust(place.slug, "-2.5", note="counted twice") == "10.00 USD"
    assert money.set_credit(place.slug, "5", note="") == "15.00 USD"
    assert balances(place) == (10_000_000, 0, 0, 0)
    with pytest.raises(Invalid):
        money.top_up(place.slug, "-1", key=None, note="")
    with pytest.raises(OperationError, match="no workspace nobody"):
        money.top_up("nobody", "1", key=None, note="")


def test_a_balance_that_its_entries_do_not_show_is_found(place, rival):
    money.top_up(place.slug, "1", key=None, note="")
    assert findings_of(place) == []
    tampered = "update wallets set available_micros = 9, funded_micros = 9"
    with place.system_work() as ctx:
        ctx.session.execute(text(tampered))
    assert sorted(findings_of(place)) == [
        f"{place.slug}: The wallet says -9 for funded, its entries -1000000.",
        f"{place.slug}: The wallet says 9 for available, its entries 1000000.",
    ]
    assert findings_of(rival) == []


def test_a_workspaces_prices_come_from_a_file_and_are_previewed_first(place, tmp_path):
    card = tmp_path / "prices.csv"
    card.write_text(HEADING + "USD,Germany,marketing,0.09,2026-01-01\n")
    assert money.preview_prices(card, place.slug)[-1].split() == ["all", "0.00", "0.00"]
    assert money.import_prices(card, place.slug) == 1
    assert quote(place, "4915112345678").micros == 90_000
    assert money.export_prices(place.slug) == HEADING + "USD,Germany,marketing,0.09,2026-01-01\n"
    assert "USD,Germany,marketing,0.1365,2026-01-01" in money.export_prices(None)
    with pytest.raises(OperationError, match="can not be read"):
        money.import_prices(tmp_path / "missing.csv", None)
