"""Files of contacts: what they are, what their columns mean, and what becomes of each row."""

import os
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
import xlsxwriter
from sqlmodel import select

from aerostic.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooLarge, Unavailable
from aerostic.domain.contacts import queries as contacts
from aerostic.domain.contacts import service as contact_service
from aerostic.domain.contacts.models import AttributeType, Contact, ContactImport, ImportStatus
from aerostic.domain.contacts.schemas import ContactFilter, NewContact
from aerostic.domain.imports import files, mapping, queries, reading, service
from aerostic.domain.imports.reading import NotATable
from aerostic.domain.imports.service import ImportOptions
from workers.jobs import imports as job

SMALL = (
    "name;phone;e-mail\nJosé Ångström;+49 170 1234567;jose@example.org\nGrace;+49 170 7654321;\n"
)


def upload(place, content: bytes | str, *, tmp_path: Path, name: str = "list.csv") -> UUID:
    path = tmp_path / "uploaded"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with place.work("admin") as ctx:
        return service.receive(ctx, name, path).id


def start(place, import_id: UUID, targets: list[str] | None = None, **options) -> None:
    with place.work("admin") as ctx:
        proposed = list(queries.contact_import(ctx, import_id).targets)
        service.start(ctx, import_id, targets or proposed, ImportOptions(**options))


def view(place, import_id: UUID):
    with place.work("admin") as ctx:
        return queries.contact_import(ctx, import_id)


def counts(place, import_id: UUID) -> tuple[int, ...]:
    """Created, updated, unchanged, refused."""
    one = view(place, import_id)
    assert one.status is ImportStatus.DONE
    return (one.rows_created, one.rows_updated, one.rows_unchanged, one.rows_refused)


def refused(place, import_id: UUID) -> list[tuple[int, str]]:
    with place.work("admin") as ctx:
        return [(row.row_number, row.reason) for row in queries.refusals(ctx, import_id)]


def people(place) -> dict[str, str]:
    with place.work() as ctx:
        rows = ctx.session.exec(select(Contact).order_by(Contact.phone))
        return {row.phone: row.name for row in rows}


# What the file is -------------------------------------------------------------------------------

ENCODINGS = {
    "UTF-8": SMALL.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + SMALL.encode(),
    "Latin-1": SMALL.encode("latin-1"),
    "Latin-1 with a mark": b"\xef\xbb\xbf" + SMALL.encode("latin-1"),
    "UTF-16 with a mark": SMALL.encode("utf-16"),
    "UTF-16 LE": SMALL.encode("utf-16-le"),
    "UTF-16 BE": SMALL.encode("utf-16-be"),
    "old Mac line ends": SMALL.replace("\n", "\r").encode(),
    "Excel's hint": ("sep=;\r\n" + SMALL).encode(),
    "commas": SMALL.replace(";", ",").encode(),
    "tabs": SMALL.replace(";", "\t").encode(),
    "bars": SMALL.replace(";", "|").encode(),
}


@pytest.mark.parametrize("content", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_a_file_is_read_whatever_wrote_it(place, tmp_path, content):
    import_id = upload(place, content, tmp_path=tmp_path)
    with place.work("admin") as ctx:
        assert queries.preview(ctx, import_id)[0] == [
            "José Ångström",
            "+49 170 1234567",
            "jose@example.org",
        ]
    assert view(place, import_id).targets == ("name", "phone", "email")
    assert view(place, import_id).rows_total == 2


def test_a_windows_file_keeps_its_quotes_and_euros(place, tmp_path):
    content = "Name,Telefon\n“Zoë” €5,+491701234567\n".encode("cp1252")
    import_id = upload(place, content, tmp_path=tmp_path)
    assert view(place, import_id).encoding == "Windows-1252"
    start(place, import_id)
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    assert people(place) == {"491701234567": "“Zoë” €5"}


def workbook(path: Path, rows: list[list[object]]) -> bytes:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path.read_bytes()


def test_a_spreadsheet_gives_numbers_as_people_see_them(place, tmp_path):
    content = workbook(
        tmp_path / "book.xlsx", [["Vorname", "Nachname", "Handy"], ["Ada", "King", 491701234567]]
    )
    import_id = upload(place, content, tmp_path=tmp_path, name="liste.xlsx")
    assert view(place, import_id).targets == ("first_name", "last_name", "phone")
    start(place, import_id)
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    assert people(place) == {"491701234567": "Ada King"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (b"name,phone\n", "headings but no rows"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel file"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04", "not a list of text"),
        (b"PK\x03\x04 and then nonsense", "damaged"),
        (",".join("abc" for _ in range(300)).encode() + b"\n1,2\n", "300 columns"),
    ],
)
def test_what_is_no_list_is_refused_in_words_and_nothing_is_kept(place, tmp_path, content, reason):
    with pytest.raises(NotATable, match=reason):
        upload(place, content, tmp_path=tmp_path)
    with place.work() as ctx:
        assert ctx.session.exec(select(ContactImport)).all() == []
    assert list(files.path_of(f"imports/{place.tenant_id}").glob("*")) == []


def test_a_zip_bomb_is_refused(place, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_UNPACKED", 5_000_000)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 6_000_000)
    assert bomb.stat().st_size < 20_000
    with pytest.raises(TooLarge, match="too large when unpacked"):
        upload(place, bomb.read_bytes(), tmp_path=tmp_path)


def test_two_cells_far_apart_do_not_fill_the_memory(place, tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "far.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "phone")
        sheet.write(1_048_575, 150, "far away")
    with pytest.raises(TooLarge, match="spans"):
        upload(place, (tmp_path / "far.xlsx").read_bytes(), tmp_path=tmp_path)


def bare_workbook(path: Path, rows: str, target: str) -> bytes:
    """The least that a reader takes for a spreadsheet, its one sheet wherever `target` says."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def leads(kind: str, to: str) -> str:
        one = f'<Relationship Id="r1" Type="{office}/{kind}" Target="{to}"/>'
        return f'<Relationships xmlns="{package}">{one}</Relationships>'

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("_rels/.rels", leads("officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/_rels/workbook.xml.rels", leads("worksheet", target))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="List" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            f"xl/{target}",
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        )
    return path.read_bytes()


def test_the_least_spreadsheet_is_read(place, tmp_path):
    heading = "<row r='1'><c r='A1' t='str'><v>phone</v></c></row>"
    rows = heading + "<row r='2'><c r='A2'><v>491701234567</v></c></row>"
    content = bare_workbook(tmp_path / "least.xlsx", rows, "elsewhere.xml")
    import_id = upload(place, content, tmp_path=tmp_path)
    assert view(place, import_id).columns == ("phone",)
    with place.work("admin") as ctx:
        assert queries.preview(ctx, import_id) == [["491701234567"]]


FAR_APART = (
    "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"
)


@pytest.mark.parametrize(
    ("sheet", "target"),
    [
        (
            FAR_APART,
            "worksheets/sheet1.xml",
        ),  # in single quotes, which the look beforehand passes over
        (FAR_APART, "elsewhere.xml"),
    ],
)
def test_a_spreadsheet_that_would_fill_the_memory_ends_a_process_of_its_own(
    place, tmp_path, sheet, target
):
    with pytest.raises(TooLarge, match="memory or time"):
        upload(place, bare_workbook(tmp_path / "bomb.xlsx", sheet, target), tmp_path=tmp_path)


def test_one_long_text_in_many_cells_does_not_fill_the_disk(place, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 50)
    with pytest.raises(TooLarge, match="too large together"):
        upload(place, SMALL, tmp_path=tmp_path)
    assert list(files.path_of(f"imports/{place.tenant_id}").glob("*")) == []


def test_a_full_disk_is_a_sentence_and_nothing_is_kept(place, tmp_path, monkeypatch):
    class Full:
        def __iter__(self):
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(reading, "_source_rows", lambda *_: Full())
    with pytest.raises(Unavailable, match="disk is full"):
        upload(place, SMALL, tmp_path=tmp_path)
    assert list(files.path_of(f"imports/{place.tenant_id}").glob("*")) == []


# What the columns are ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "targets"),
    [
        (["Full Name", "Mobile No.", "E-Mail"], ["name", "phone", "email"]),
        (["Nachname", "Vorname", "Rufnummer"], ["last_name", "first_name", "phone"]),
        (["Prénom", "Nom", "Téléphone"], ["first_name", "name", "phone"]),
        (["Nombre", "Teléfono móvil", "País"], ["name", "phone", "country"]),
        (["Nome", "Celular", "Língua"], ["name", "phone", "language"]),
        (["姓名", "手机", "邮箱"], ["name", "phone", "email"]),
        (["Phone", "Mobile", "Shoe size"], ["phone", "ignore", "ignore"]),
    ],
)
def test_headings_are_understood_in_several_languages(headings, targets):
    assert mapping.propose(headings, [], []) == targets


def test_a_column_of_numbers_is_found_without_a_heading_that_says_so(place, tmp_path):
    import_id = upload(place, "Wer,Wohin\nAda,+491701234567\n", tmp_path=tmp_path)
    assert view(place, import_id).targets == ("ignore", "phone")


def test_a_list_without_headings_loses_no_row(place, tmp_path):
    import_id = upload(place, "Ada,+491701234567\nGrace,+491707654321\n", tmp_path=tmp_path)
    one = view(place, import_id)
    assert (one.columns, one.rows_total) == (("Column 1", "Column 2"), 2)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        (["name", "phone"], "each of the 3 columns"),
        (["name", "ignore", "email"], "holds the phone numbers"),
        (["phone", "phone", "email"], "Two columns"),
        (["name", "phone", "attribute:shoe"], "can not become"),
    ],
)
def test_a_wrong_mapping_is_refused_and_can_be_put_right(place, tmp_path, targets, reason):
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    with pytest.raises(Invalid, match=reason):
        start(place, import_id, targets)
    assert view(place, import_id).status is ImportStatus.UPLOADED
    start(place, import_id)


# What becomes of the rows -----------------------------------------------------------------------


def test_rows_become_contacts_and_refused_ones_say_why(place, tmp_path, run_jobs):
    with place.work("admin") as ctx:
        contact_service.define_attribute(ctx, "City", AttributeType.TEXT)
        contact_service.define_attribute(ctx, "Age", AttributeType.NUMBER)
    content = (
        "Name,Phone,Email,Country,City,Age,Tags\n"
        'Ada,0170 1234567,ada@example.org,Deutschland,Turin,36,"VIP, Math"\n'
        "NoPhone,,x@example.org,,,,\n"
        "BadPhone,hello,,,,,\n"
        "BadAge,+491707654321,,,,many,\n"
        f"{'x' * 1_000_000},+491707654322,,,,,\n"
        f"{'y' * 300},+491707654323,,,,,\n"
        "Ada again,+49 170 1234567,,,,,\n"
        "\n"
        '🎉,+491707654324,,,🎈,,"🦄"\n'
        "Wide,+491707654325,,,,,,surplus\n"
    )
    import_id = upload(place, content, tmp_path=tmp_path)
    start(place, import_id, default_country="de")
    assert run_jobs() >= 1
    assert counts(place, import_id) == (2, 0, 0, 7)
    assert people(place) == {"491701234567": "Ada", "491707654324": "🎉"}
    reasons = dict(refused(place, import_id))
    assert reasons[3] == "There is no phone number."
    assert reasons[4].startswith("“hello” is not a phone number.")
    assert reasons[5] == "Age: “many” is not a number."
    assert reasons[6].startswith("A cell holds 1,000,000 characters; at most 5,000 fit.")
    assert reasons[7] == "The name has 300 characters; at most 200 fit."
    assert reasons[8] == "The same number stands in row 2 already."
    assert reasons[11] == "The row has more cells than the line of headings."
    with place.work() as ctx:
        (row,) = contacts.contacts(ctx, ContactFilter(text="ada")).items
        ada = contacts.contact(ctx, row.id)
    assert (ada.country, ada.attributes) == ("DE", {"city": "Turin", "age": 36})
    assert [tag.name for tag in ada.tags] == ["Math", "VIP"]
    assert not files.path_of(files.storage_key(place.tenant_id, import_id)).exists()


def enter(place, name: str, phone: str) -> UUID:
    with place.work() as ctx:
        return contact_service.create(ctx, NewContact(name=name, phone=phone)).id


def test_contacts_that_are_there_are_updated_and_empty_cells_empty_nothing(
    place, tmp_path, run_jobs
):
    jose = enter(place, "Old name", "+491701234567")
    grace = enter(place, "Grace", "+491707654321")
    with place.work() as ctx:
        tag_id = contact_service.create_tag(ctx, "Imported").id
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    start(place, import_id)
    run_jobs()
    assert counts(place, import_id) == (0, 1, 1, 0)
    again = upload(place, SMALL, tmp_path=tmp_path)
    start(place, again, tag_ids=(tag_id,))
    run_jobs()
    assert counts(place, again) == (0, 2, 0, 0)
    with place.work() as ctx:
        contact = contacts.contact(ctx, jose)
        assert (contact.name, contact.email, contact.revision) == (
            "José Ångström",
            "jose@example.org",
            1,
        )
        assert contacts.contact(ctx, grace).revision == 0
        found = contacts.contacts(ctx, ContactFilter(text="angstrom", tag_ids=(tag_id,))).items
        assert [row.id for row in found] == [jose]
        assert contacts.contacts(ctx, ContactFilter(text="old")).items == []


def test_contacts_that_are_there_are_left_alone_when_so_asked(place, tmp_path, run_jobs):
    enter(place, "Old name", "+491701234567")
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    start(place, import_id, updates=False)
    run_jobs()
    assert counts(place, import_id) == (1, 0, 1, 0)
    assert people(place)["491701234567"] == "Old name"


def many(count: int) -> str:
    rows = [f"Person {n},+49170{1_000_000 + n}" for n in range(count)]
    return "name,phone\n" + "\n".join(rows) + "\n"


def test_a_worker_that_dies_between_batches_is_taken_over_exactly(
    place, tmp_path, run_jobs, monkeypatch
):
    monkeypatch.setattr(service, "BATCH", 10)
    import_id = upload(place, many(35) + "Double,+491701000000\n", tmp_path=tmp_path)
    start(place, import_id)
    taken = service.take_batch

    def die_in_the_third(ctx, *args, start: int, **more):
        done = taken(ctx, *args, start=start, **more)
        if start == 20:
            raise KeyboardInterrupt  # as a kill: inside the transaction, after its statements
        return done

    monkeypatch.setattr(service, "take_batch", die_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    monkeypatch.setattr(service, "take_batch", taken)
    assert (view(place, import_id).rows_done, len(people(place))) == (20, 20)
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    assert view(place, import_id).rows_done == 20, "the dead worker's lease still stands"
    end_the_lease()
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    assert counts(place, import_id) == (35, 0, 0, 1)
    assert refused(place, import_id) == [(37, "The same number stands in row 2 already.")]
    assert len(people(place)) == 35


def end_the_lease() -> None:
    from sqlalchemy import update

    from aerostic.core.due_work import DueWork
    from aerostic.core.permissions import STRANGER
    from aerostic.core.tenancy import shared_work

    with shared_work(STRANGER) as ctx:
        ctx.session.execute(update(DueWork).values(leased_until=ctx.now))


def test_started_twice_runs_once(place, tmp_path, run_jobs):
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    start(place, import_id)
    start(place, import_id)
    assert run_jobs() == 1
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    assert counts(place, import_id) == (2, 0, 0, 0)
    with pytest.raises(Conflict, match="taken in before"):
        start(place, import_id)


def test_a_cancelled_import_stops_and_keeps_what_was_taken(place, tmp_path, monkeypatch):
    monkeypatch.setattr(service, "BATCH", 10)
    import_id = upload(place, many(30), tmp_path=tmp_path)
    start(place, import_id)
    taken = service.take_batch

    def cancel_after_the_first(ctx, *args, start: int, **more):
        if start == 10:
            with place.work("admin") as other:
                service.cancel(other, import_id)
        return taken(ctx, *args, start=start, **more)

    monkeypatch.setattr(service, "take_batch", cancel_after_the_first)
    job.run(tenant_id=str(place.tenant_id), import_id=str(import_id))
    one = view(place, import_id)
    assert (one.status, one.rows_done, len(people(place))) == (ImportStatus.CANCELLED, 10, 10)
    assert not files.path_of(files.storage_key(place.tenant_id, import_id)).exists()


def test_a_file_that_is_gone_fails_with_the_reason(place, tmp_path, run_jobs):
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    start(place, import_id)
    files.path_of(files.storage_key(place.tenant_id, import_id)).unlink()
    run_jobs()
    one = view(place, import_id)
    assert one.status is ImportStatus.FAILED
    assert one.problem == "The uploaded file is gone. Upload it again."


def test_an_agent_imports_nothing_and_a_rival_sees_nothing(place, rival, tmp_path):
    import_id = upload(place, SMALL, tmp_path=tmp_path)
    with pytest.raises(NotAllowed), place.work("agent") as ctx:
        queries.contact_import(ctx, import_id)
    acts = [
        lambda ctx: queries.contact_import(ctx, import_id),
        lambda ctx: queries.preview(ctx, import_id),
        lambda ctx: queries.refusals(ctx, import_id),
        lambda ctx: service.start(ctx, import_id, ["name", "phone", "email"], ImportOptions()),
        lambda ctx: service.cancel(ctx, import_id),
    ]
    for act in acts:
        with pytest.raises(NotFound), rival.work() as ctx:
            act(ctx)
    job.run(tenant_id=str(rival.tenant_id), import_id=str(import_id))
    assert view(place, import_id).status is ImportStatus.UPLOADED
    assert people(place) == people(rival) == {}
