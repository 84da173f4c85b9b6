"""What people do first on every page."""

from playwright.sync_api import Page

from tests.backend import Backend
from tests.conftest import PASSWORD


def sign_in(page: Page, site: Backend, email: str, *, to: str = "/login") -> None:
    """By the form, as anyone does."""
    page.goto(site.url + to)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def enter(page: Page, site: Backend, email: str, path: str) -> None:
    """Signed in already, then at a page: where signing in is not what is tested."""
    answer = page.request.post(
        f"{site.url}/auth/session", data={"email": email, "password": PASSWORD}
    )
    assert answer.ok, answer.text()
    page.goto(site.url + path)
