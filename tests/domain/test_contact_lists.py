"""Lists out of files: who is on them, each once, with what their row said."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import select

from aerostic.core.errors import Conflict, NotAllowed, NotFound
from aerostic.domain.audiences import freezing
from aerostic.domain.audiences import queries as audiences
from aerostic.domain.audiences import service as audience_service
from aerostic.domain.audiences.filters import Audience, OnList
from aerostic.domain.contacts.models import Contact, ContactImport
from aerostic.domain.dossier import service as dossier
from aerostic.domain.imports import files, queries, service
from aerostic.domain.imports.service import ImportOptions
from tests.builders import contact_of
from workers.jobs import imports as job

ORDERS = "Name;Telefon;Stadt;Stadt\nJosé;+49 170 1234567;Köln;Bonn\nGrace;+49 170 7654321;;\n"


def upload(place, content: bytes | str, tmp_path: Path, name: str = "June") -> UUID:
    path = tmp_path / "uploaded"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with place.work("admin") as ctx:
        return service.receive_list(ctx, name, "june.csv", path).id


def take_in(place, list_id: UUID, **options):
    """Start with the proposed columns, let the worker do it, and look."""
    with place.work("admin") as ctx:
        import_id = audiences.contact_list(ctx, list_id).import_id
        targets = list(queries.contact_import(ctx, import_id).targets)
        service.start(ctx, import_id, targets, ImportOptions(**options))
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    with place.work("admin") as ctx:
        return audiences.contact_list(ctx, list_id), queries.contact_import(ctx, import_id)


def cells_of(place, list_id: UUID) -> dict[str, dict[str, str]]:
    with place.work() as ctx:
        found = audiences.sample(ctx, Audience(list_id=list_id), limit=100)
        return {one.name: dict(one.cells) for one in found}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_list_keeps_its_people_with_their_cells(place, rival, tmp_path, encoding):
    mark = b"\xef\xbb\xbf" if encoding == "latin-1" else b""  # some programs put one on Latin-1
    list_id = upload(place, mark + ORDERS.encode(encoding), tmp_path)
    view, _ = take_in(place, list_id)
    assert (view.name, view.members, view.status) == ("June", 2, "done")
    assert view.columns == ("Name", "Telefon", "Stadt", "Stadt (2)")
    assert cells_of(place, list_id) == {
        "José": {
            "Name": "José",
            "Telefon": "+49 170 1234567",
            "Stadt": "Köln",
            "Stadt (2)": "Bonn",
        },
        "Grace": {"Name": "Grace", "Telefon": "+49 170 7654321"},
    }
    with rival.work() as ctx, pytest.raises(NotFound):
        audiences.contact_list(ctx, list_id)


def test_who_is_a_contact_already_stays_as_they_are_and_is_on_the_list(place, tmp_path):
    ada = contact_of(place, "Ada", "491701234567")
    list_id = upload(place, ORDERS, tmp_path)
    view, file = take_in(place, list_id)
    assert (view.members, file.rows_created, file.rows_unchanged) == (2, 1, 1)
    assert set(cells_of(place, list_id)) == {"Ada", "Grace"}
    with place.work() as ctx:
        found = ctx.session.execute(
            freezing.slice_of(
                ctx, Audience(list_id=list_id), category="MARKETING", after=None, limit=10
            )
        ).all()
        assert (found[0].contact_id, found[0].cells["Stadt"]) == (ada, "Köln")
        everyone_else = Audience(filter=OnList(list_id=list_id))
        assert audiences.count(ctx, everyone_else) == 2


def test_a_number_that_stands_thousands_of_times_is_there_once(place, tmp_path):
    contact_of(place, "Ada", "491701234567")
    lines = [f"+49 170 1234567,{number}" for number in range(2_500)]
    list_id = upload(place, "\n".join(["phone,code", *lines, "+49 170 7654321,x"]), tmp_path)
    view, file = take_in(place, list_id)
    assert view.members == 2
    assert (file.rows_done, file.rows_refused) == (2_501, 2_499)
    assert cells_of(place, list_id)["Ada"]["code"] == "0"


def test_two_lists_of_one_name_and_a_file_that_is_left_behind(place, tmp_path):
    upload(place, ORDERS, tmp_path)
    with pytest.raises(Conflict, match="already a list named “June”"):
        upload(place, ORDERS, tmp_path)
    with place.work() as ctx:
        assert len(audiences.lists(ctx).items) == 1
        kept = ctx.session.exec(select(ContactImport)).one()
        assert files.is_there(kept.storage_key)
        assert len(list(files.path_of(kept.storage_key).parent.glob("*"))) == 1


def test_a_list_is_renamed_and_forgotten_and_its_people_stay(place, tmp_path):
    list_id = upload(place, ORDERS, tmp_path)
    take_in(place, list_id)
    with place.work("agent") as ctx, pytest.raises(NotAllowed):
        audience_service.delete_list(ctx, list_id)
    with place.work("admin") as ctx:
        assert audience_service.rename_list(ctx, list_id, " July ").name == "July"
    with place.work("admin") as ctx:
        audience_service.delete_list(ctx, list_id)
    with place.work("admin") as ctx:
        assert audiences.lists(ctx).items == []
        assert audiences.count(ctx, Audience()) == 2


def test_a_list_that_is_forgotten_while_its_file_is_taken_in_stops_that(
    place, tmp_path, monkeypatch
):
    list_id = upload(place, ORDERS, tmp_path)
    with place.work("admin") as ctx:
        import_id = audiences.contact_list(ctx, list_id).import_id
        targets = list(queries.contact_import(ctx, import_id).targets)
        service.start(ctx, import_id, targets, ImportOptions())
    taken = service.take_batch

    def forget_it_first(ctx, *args, **more):
        with place.work("admin") as other:
            audience_service.delete_list(other, list_id)
        return taken(ctx, *args, **more)

    monkeypatch.setattr(service, "take_batch", forget_it_first)
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    with place.work("admin") as ctx:
        stopped = queries.contact_import(ctx, import_id)
        assert (stopped.status, stopped.rows_done) == ("cancelled", 0)
        assert audiences.lists(ctx).items == []


def test_who_is_erased_leaves_every_list(place, tmp_path):
    list_id = upload(place, ORDERS, tmp_path)
    take_in(place, list_id)
    with place.work() as ctx:
        jose = ctx.session.exec(select(Contact).where(Contact.phone == "491701234567")).one()
        dossier.erase(ctx, jose.id)
    with place.work() as ctx:
        assert audiences.contact_list(ctx, list_id).members == 1
