"""A workflow drawn as people draw it: from the palette, by dragging connections, in forms."""

import re
from dataclasses import dataclass
from uuid import UUID

from playwright.sync_api import Locator, Page, expect

from aerostic.domain.automation import service
from aerostic.domain.automation.graph import Graph
from tests.browser.conftest import Site
from tests.browser.people import enter
from tests.conftest import Place


@dataclass(frozen=True)
class Drawing:
    """The editor of one workflow, open in a browser."""

    page: Page

    @property
    def id(self) -> str:
        return self.page.url.split("?")[0].rstrip("/").rpartition("/")[2]

    def add(self, title: str, name: str = "") -> Locator:
        """Take a step from the palette; it is connected to the one that is chosen, if that can be."""
        steps = self.page.get_by_role("complementary", name="Steps", exact=True)
        steps.get_by_role("button", name=title, exact=True).click()
        heading = self.settings.locator("header strong")
        expect(heading).to_have_text(title)
        if name:
            self.fill("Name", name)
        return self.step(name or title)

    @property
    def settings(self) -> Locator:
        return self.page.get_by_role("complementary", name="Settings of the step")

    def fill(self, label: str, text: str) -> None:
        self.settings.get_by_label(label, exact=True).first.fill(text)

    def choose(self, label: str, words: str) -> None:
        self.settings.get_by_label(label, exact=True).first.select_option(label=words)

    def add_row(self, title: str) -> Locator:
        """Another row of a setting that has rows; the row."""
        rows = self.settings.get_by_role("group", name=title, exact=True)
        rows.get_by_role("button", name="Add", exact=True).click()
        return rows.get_by_role("group", name=re.compile(rf"^{title} \d+$")).last

    def word(self, label: str, text: str) -> None:
        """One more word of a setting that holds words."""
        field = self.settings.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Enter")

    @property
    def cards(self) -> Locator:
        """Steps and notes on the canvas."""
        return self.page.locator(".react-flow__node")

    def step(self, name: str) -> Locator:
        """A card on the canvas."""
        return self.cards.filter(visible=True).filter(
            has=self.page.locator("strong", has_text=re.compile(f"^{re.escape(name)}$"))
        )

    def open(self, name: str) -> None:
        self.step(name).locator("strong").click()

    def choose_nothing(self) -> None:
        """So that the next step is not connected by itself."""
        self.settings.get_by_role("button", name="Close the settings").click()
        expect(self.settings).to_have_count(0)

    def connect(self, source: str, output: str, target: str, entry: str = "In") -> None:
        self.begin_connection(source, output, target, entry)
        before = self.lines.count()
        self.page.mouse.up()
        expect(self.lines).to_have_count(before + 1)

    def begin_connection(self, source: str, output: str, target: str, entry: str = "In") -> None:
        """Draw a line from one dot to another, and do not let go yet."""
        self.page.get_by_role("button", name="Show all of it", exact=True).first.click()
        begin = _middle(self.step(source).get_by_label(f"{output}: output"))
        end = _middle(self.step(target).get_by_label(f"{entry}: input"))
        self.page.mouse.move(*begin)
        self.page.mouse.down()
        self.page.mouse.move((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2, steps=6)
        self.page.mouse.move(*end, steps=6)

    @property
    def lines(self) -> Locator:
        return self.page.locator(".react-flow__edge")

    def tidy(self) -> None:
        self.page.get_by_role("button", name="Tidy up").click()

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        expect(self.page.get_by_text("Saved at")).to_be_visible()

    def publish(self) -> None:
        """As it stands. The first time, that also switches it on."""
        self.page.get_by_role("button", name="Publish", exact=True).click()
        asked = self.page.get_by_role("dialog")
        expect(asked.get_by_label("What is new?")).to_be_visible()
        asked.get_by_role("button", name="Publish").click()
        expect(self.page.get_by_text(re.compile(r"Version \d+ is published"))).to_be_visible()
        expect(self.page.get_by_role("switch", name="Runs begin")).to_be_checked()

    def runs(self) -> Locator:
        """The list of runs."""
        self.page.get_by_role("tab", name="Runs").click()
        return self.page.get_by_role("button", name=re.compile(r"steps?"))


def _middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    assert box, "the dot is not on the screen"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw(page: Page, site: Site, place: Place, name: str) -> Drawing:
    """A new workflow on an empty canvas, by the owner."""
    drawn = open_drawing(page, site, place, Graph(), name)
    expect(page.get_by_text("Begin with a trigger")).to_be_visible()
    return drawn


def open_drawing(page: Page, site: Site, place: Place, graph: Graph, name: str) -> Drawing:
    """The editor of a workflow that has this draft: where drawing it is not what is tested."""
    workflow_id = made(place, graph, name)
    path = f"/dashboard/{place.tenant_id}/automation/{workflow_id}"
    enter(page, site, place.emails["owner"], path)
    drawn = Drawing(page)
    expect(drawn.cards).to_have_count(len(graph.nodes) + len(graph.notes))
    expect(page.get_by_text("Saved at")).to_be_visible()
    return drawn


def made(place: Place, graph: Graph, name: str, *, published: bool = False) -> UUID:
    """A workflow by name, without a browser."""
    with place.work() as ctx:
        workflow_id = service.create(ctx, name, graph=graph).id
        if published:
            service.publish(ctx, workflow_id)
    return workflow_id
