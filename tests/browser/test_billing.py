"""The owner's money on the screen: why an amount, what is filtered, a notice, a statement as files."""

from pathlib import Path

from playwright.sync_api import Page, expect

from aerostic.domain.billing.charging import Outcome
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.conftest import Place
from tests.domain.test_ledger import tell, write


def test_an_owner_finds_out_where_the_money_went(page: Page, site: Site, place: Place) -> None:
    late = write(place)
    tell(place, late, Outcome.FAILED)
    tell(place, late, Outcome.DELIVERED)
    enter(page, site, place.emails["owner"], f"/dashboard/{place.tenant_id}/billing")
    expect(page.get_by_text("999.8635 USD")).to_be_visible()
    page.get_by_role("button", name="Why this amount?").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Marketing to Germany: 0.1365 USD by the rate card.")
    expect(dialog).to_contain_text("It was delivered after it had counted as failed")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("combobox", name="Which postings").click()
    page.get_by_role("option", name="Charged late").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)

    page.get_by_role("button", name="Low balance").click()
    page.get_by_label("Tell the owners below").fill("much")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write an amount such as 25 or 0.0529.")).to_be_visible()
    page.get_by_label("Tell the owners below").fill("12.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("once it falls below 12.50 USD.")).to_be_visible()

    write(place)  # an open page follows by itself
    expect(page.get_by_text("999.727 USD")).to_be_visible()

    with page.expect_download() as pdf:
        page.get_by_role("button", name="PDF").click()
    assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF")
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV").click()
    assert Path(table.value.path()).read_text().count("\n") == 6
