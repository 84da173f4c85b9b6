"""The simulator's control door: being a customer, for the demo."""

from types import TracebackType
from typing import Any, Self

import httpx

from aerostic.core.errors import Unavailable


class Customers:
    """People with phones. Use as a context manager."""

    def __init__(self, simulator_url: str) -> None:
        self._http = httpx.Client(base_url=f"{simulator_url}/simulator/control/", timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def by_name(self) -> dict[str, int]:
        """Everyone's id by their name."""
        people = self._ask("GET", "people")["people"]
        return {person["name"]: person["id"] for person in people}

    def write(self, person_id: int, phone_number_id: str, message: dict[str, Any]) -> None:
        """Write to a business number, as that person: `{"type": "text", "text": …}`."""
        self._ask("POST", f"people/{person_id}/chats/{phone_number_id}/messages", message)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(f"The simulator did not take {method} {path}: {error}") from error
        found: dict[str, Any] = answer.json()
        return found
