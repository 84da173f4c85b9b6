"""A workspace whose account is the simulator's, so that what Meta would refuse is refused here too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from aerostic.core import crypto
from aerostic.core.permissions import STRANGER
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.channels.models import AccountDirectory, NumberDirectory, WhatsappAccount
from aerostic.domain.channels.service import token_place
from aerostic.domain.media.service import store_upload
from aerostic.domain.templates import service
from aerostic.domain.templates.definition import Definition
from aerostic.domain.templates.models import Template
from tests.conftest import Place
from tests.simulator.conftest import ACCOUNT, NUMBER, TOKEN, Running, start

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c6360f8cf00000201010018dd8db40000000049454e44ae426082"
)


@pytest.fixture(scope="package")
def whatsapp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Meta's Graph API, as the product's settings name it."""
    running = start(tmp_path_factory.mktemp("whatsapp"), webhook_url="http://127.0.0.1:1/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEROSTIC_META_GRAPH_URL", f"{running.base}/simulator/graph")
        settings.cache_clear()
        yield running
    running.stop()
    settings.cache_clear()


@dataclass
class House:
    """A place whose account Meta knows."""

    place: Place
    whatsapp: Running

    def draft(self, definition: Definition, name: str = "pick_up", **options: Any) -> UUID:
        with self.place.work("admin") as ctx:
            return service.create(
                ctx,
                self.place.account_id,
                name=name,
                language=options.get("language", "en_US"),
                definition=definition,
            ).id

    def submit(self, template_id: UUID) -> None:
        with self.place.work("admin") as ctx:
            service.submit(ctx, template_id)

    def submitted(self, definition: Definition, name: str = "pick_up", **options: Any) -> UUID:
        template_id = self.draft(definition, name, **options)
        self.submit(template_id)
        return template_id

    def approved(self, definition: Definition, name: str = "pick_up", **options: Any) -> UUID:
        """Reviewed there, and synchronised."""
        template_id = self.submitted(definition, name, **options)
        self.decide(template_id, "approve")
        return template_id

    def decide(self, template_id: UUID, decision: str, **body: Any) -> None:
        meta_id = self.row(template_id).meta_template_id
        self.whatsapp.control("POST", f"templates/{meta_id}/{decision}", json=body)
        self.sync()

    def sync(self) -> int:
        with self.place.work("admin") as ctx:
            return service.sync(ctx, self.place.account_id)

    def row(self, template_id: UUID) -> Template:
        with self.place.system_work() as ctx:
            found = ctx.get(Template, template_id)
            assert found is not None
            return found

    def at_meta(self, name: str = "pick_up") -> list[dict[str, Any]]:
        """What Meta has under a name."""
        listed = self.whatsapp.control("GET", f"templates?account_id={ACCOUNT}")["templates"]
        return [one for one in listed if one["name"] == name]

    def file(self, content: bytes = PNG, name: str = "cake.png", kind: str = "image/png") -> str:
        with self.place.work("admin") as ctx:
            return str(store_upload(ctx, [content], file_name=name, mime_type=kind).id)


@pytest.fixture
def house(place: Place, whatsapp: Running) -> House:
    whatsapp.control("POST", "reset")
    return move_in(place, whatsapp)


def move_in(place: Place, whatsapp: Running) -> House:
    """The account of a place is the simulator's from now on, and nobody else's."""
    with shared_work(STRANGER) as ctx:
        for directory, meta_id in ((NumberDirectory, NUMBER), (AccountDirectory, ACCOUNT)):
            row = ctx.session.get(directory, meta_id)
            if row is not None:
                ctx.session.delete(row)
        ctx.session.flush()
        ctx.session.add(
            AccountDirectory(
                meta_account_id=ACCOUNT, tenant_id=place.tenant_id, account_id=place.account_id
            )
        )
    with place.system_work() as ctx:
        account = ctx.get(WhatsappAccount, place.account_id)
        assert account is not None
        account.meta_account_id = ACCOUNT
        account.access_token_sealed = crypto.encrypt(TOKEN, bound_to=token_place(account.id))
    return House(place, whatsapp)
