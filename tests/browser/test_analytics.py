"""The analytics page: figures from rows, other days, the table beside a chart, and its file."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.builders import conversation_of, inbound, outbound
from tests.conftest import Place
from workers.jobs import metrics


def test_figures_come_from_rows_and_leave_as_a_file(
    page: Page, site: Site, place: Place, tmp_path: Path
) -> None:
    enter(page, site, place.emails["admin"], f"/dashboard/{place.tenant_id}/analytics")
    expect(page.get_by_text("Nothing has been counted yet.")).to_be_visible()
    expect(page.get_by_text("No workflow ran in these days.")).to_be_visible()
    talk = conversation_of(place)
    inbound(place, talk)
    outbound(place, talk, status="read")
    outbound(place, talk, status="failed", failure={"code": "131026", "reason": "", "action": ""})
    metrics.fold_one(place.tenant_id)  # the page hears of it
    expect(page.get_by_text("1 of 2 that left")).to_be_visible()
    expect(page.get_by_text("131026")).to_be_visible()
    page.get_by_text("The figures as a table").first.click()
    figures = page.get_by_role("table").first.get_by_role("row")
    expect(figures).to_have_count(29)  # the days and the head
    expect(figures.last.get_by_role("cell").nth(1)).to_have_text("1")
    expect(figures.last.get_by_role("cell").nth(2)).to_have_text("2")
    page.get_by_role("radio", name="7 days").click()
    expect(figures).to_have_count(8)
    page.get_by_label("From").fill(page.get_by_label("to", exact=True).input_value())
    expect(figures).to_have_count(2)
    with page.expect_download() as file:
        page.get_by_role("button", name="Days as CSV").click()
    file.value.save_as(tmp_path / "days.csv")
    lines = (tmp_path / "days.csv").read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].split(",")[1:3] == ["1", "2"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
