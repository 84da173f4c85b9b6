"""Documents go in by the service, a worker's job reads them, and a question finds its passage again."""

import io
import zipfile
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import docx
import pytest
import xlsxwriter

from aerostic.core import due_work
from aerostic.core.due_work import WorkKind
from aerostic.core.errors import Invalid, NotAllowed, NotFound, TooLarge
from aerostic.core.settings import settings
from aerostic.domain.knowledge import files, queries, searching, service
from aerostic.domain.knowledge.cutting import LONGEST, cut
from aerostic.domain.knowledge.models import DocumentStatus, KnowledgePassage
from aerostic.domain.knowledge.queries import DocumentView
from aerostic.domain.usage import queries as usage
from aerostic.domain.usage.models import UsageKind
from aerostic.integrations.documents import isolated
from aerostic.integrations.documents.reading import CanNotRead, DocumentKind, Piece, pieces_of
from tests.conftest import Place

HOURS = """# Opening hours

We are open from 8 to 18, Monday to Saturday. On Sundays we are closed.

# Delivery

Cakes are delivered in Hamburg within two days. Delivery costs 4.90 euros.

# Allergies

The oat milk is free of gluten. The brownies contain nuts.
"""


@pytest.fixture
def base(place: Place) -> UUID:
    with place.work("admin") as ctx:
        return service.create_base(ctx, "Shop").id


def add(place: Place, base_id: UUID, name: str, content: bytes) -> UUID:
    with place.work("admin") as ctx:
        return service.add_document(ctx, base_id, name, [content]).id


def shown(place: Place, document_id: UUID) -> DocumentView:
    with place.work("admin") as ctx:
        return queries.document(ctx, document_id)


def ask(place: Place, base_id: UUID, question: str) -> list[searching.Found]:
    with place.work("admin") as ctx:
        return queries.search(ctx, [base_id], question)


def test_a_document_is_read_by_a_worker_and_a_question_finds_its_passage(place, base, run_jobs):
    document = add(place, base, "shop.md", HOURS.encode())
    assert shown(place, document).status is DocumentStatus.QUEUED
    run_jobs()
    read = shown(place, document)
    assert (read.status, read.problem, read.kind) == (DocumentStatus.READY, "", "md")
    assert read.passages == 1
    (found,) = ask(place, base, "Is there gluten in your oat milk?")
    assert "free of gluten" in found.text
    assert found.document == "shop.md"
    assert found.score == pytest.approx(1.0)
    assert ask(place, base, "Do you sell bicycles?") == []


def test_a_word_of_another_form_is_found_too(place, base, run_jobs):
    add(place, base, "a.txt", b"Your order is delivered within two days.")
    add(place, base, "b.txt", b"Returns are free for thirty days.")
    run_jobs()
    assert [one.document for one in ask(place, base, "how long until delivery")] == ["a.txt"]


def test_with_a_key_passages_have_vectors_and_meaning_counts(google, place, base, run_jobs):
    document = add(place, base, "shop.txt", b"Opening times: eight until six.")
    run_jobs()
    assert shown(place, document).embedded == 1
    with place.work("admin") as ctx:
        assert searching.has_vectors(ctx)
        vector = ctx.get(KnowledgePassage, _passage(ctx)).vector
        (found,) = queries.search(ctx, [base], "opening tims?", vector=vector)
    assert found.nearness == pytest.approx(1.0, abs=1e-5)


def _passage(ctx) -> UUID:
    from sqlmodel import select

    return ctx.session.exec(select(KnowledgePassage.id)).one()


def test_gemini_down_leaves_a_document_that_words_find(google, place, base, run_jobs, monkeypatch):
    monkeypatch.setenv("AEROSTIC_GEMINI_API_KEY", "a-wrong-one")
    settings.cache_clear()
    document = add(place, base, "shop.txt", b"We deliver cakes.")
    run_jobs()
    read = shown(place, document)
    assert (read.status, read.embedded) == (DocumentStatus.READY, 0)
    assert read.note.startswith("Found by its words only. Google refuses the Gemini key.")
    assert len(ask(place, base, "cakes")) == 1


def test_read_again_replaces_and_delete_leaves_nothing(place, base, run_jobs):
    document = add(place, base, "shop.txt", b"The blue mug costs nine euros.")
    run_jobs()
    with place.work("admin") as ctx:
        service.read_again(ctx, document)
    run_jobs()
    assert len(ask(place, base, "blue mug")) == 1
    path = files.path_of(files.key_of(place.tenant_id, document))
    assert path.is_file()
    with place.work("admin") as ctx:
        service.delete_document(ctx, document)
    assert ask(place, base, "blue mug") == []
    assert not path.exists()
    with place.work("admin") as ctx:
        since = ctx.now.replace(hour=0, minute=0)
        (stored,) = usage.used(ctx, since, ctx.now.replace(year=ctx.now.year + 1))
    assert (stored.kind, stored.events, stored.quantity) == (UsageKind.DOCUMENT_STORAGE, 2, 0)


def test_another_tenant_finds_and_changes_nothing(place, rival, base, run_jobs):
    document = add(place, base, "shop.txt", b"The blue mug costs nine euros.")
    run_jobs()
    assert ask(rival, base, "blue mug") == []
    with rival.work() as ctx, pytest.raises(NotFound):
        service.delete_document(ctx, document)
    with rival.work() as ctx, pytest.raises(NotFound):
        service.add_document(ctx, base, "theirs.txt", [b"x"])
    with place.work("agent") as ctx, pytest.raises(NotAllowed):
        queries.search(ctx, [base], "blue mug")
    assert shown(place, document).status is DocumentStatus.READY


def test_a_reading_that_is_interrupted_again_and_again_ends_with_a_sentence(place, base):
    document = add(place, base, "shop.txt", b"Hello")
    for _ in range(3):
        with place.system_work() as ctx:
            assert service.begin_reading(ctx, document) is not None
    with place.system_work() as ctx:
        assert service.begin_reading(ctx, document) is None
        assert due_work.waiting(ctx, WorkKind.KNOWLEDGE, limit=1_000).count(document) == 0
    assert shown(place, document).problem.startswith("Reading it was interrupted three times.")


# What a document is made of


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def pdf(*pages: str) -> bytes:
    """A PDF by hand: one line of text a page."""
    kids = " ".join(f"{3 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    font = "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    for at, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
        contents = f"/Contents {4 + 2 * at} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {font} {contents} >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Returns", level=1)
    document.add_paragraph("Send it back within thirty days.")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Fee", "None"
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def excel() -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept) as book:
        sheet = book.add_worksheet("Prices")
        for row, cells in enumerate([("Item", "Price"), ("Latte", 4.5), ("Cake", 3)]):
            sheet.write_row(row, 0, cells)
    return kept.getvalue()


HTML = b"""<html><head><style>p{}</style></head><body><nav>Home</nav><main><h1>Hours</h1>
<p>Open from <b>8</b> to 18.</p><script>alert(1)</script></main></body></html>"""


@pytest.mark.parametrize(
    ("name", "content", "pieces"),
    [
        ("a.pdf", pdf("Open from 8", "Closed on Sundays"),
         [("page 1", "Open from 8"), ("page 2", "Closed on Sundays")]),
        ("a.docx", word(),
         [("“Returns”", "Returns\nSend it back within thirty days.\nFee | None")]),
        ("a.xlsx", excel(),
         [("sheet Prices, row 2", "Item: Latte\nPrice: 4.5"),
          ("sheet Prices, row 3", "Item: Cake\nPrice: 3.0")]),
        ("a.csv", "Name;Preis\nMüsli;4,50\n".encode("cp1252"), [("row 2", "Name: Müsli\nPreis: 4,50")]),
        ("a.html", HTML, [("“Hours”", "Hours\nOpen from\n8\nto 18.")]),
        ("a.md", b"Intro\n# Hours\nFrom 8.", [("", "Intro"), ("“Hours”", "Hours\n\nFrom 8.")]),
        ("a.txt", "Früh auf".encode("utf-16"), [("", "Früh auf")]),
    ],
)  # fmt: skip
def test_each_kind_is_read_with_its_places(tmp_path, name, content, pieces):
    path = written(tmp_path, name, content)
    found = isolated.read(path, DocumentKind(name.rpartition(".")[2]))
    assert [(one.place, one.text) for one in found] == pieces


def test_a_broken_a_locked_and_a_wrongly_named_file_say_so(tmp_path, place, base):
    for name, content, said in [
        ("a.pdf", b"%PDF-1.4 and then nothing", "damaged"),
        ("a.docx", b"PK\x03\x04nothing", "damaged"),
        ("a.xlsx", b"PK\x03\x04nothing", "damaged"),
    ]:
        with pytest.raises(CanNotRead, match=said):
            isolated.read(written(tmp_path, name, content), DocumentKind(name[-4:].strip(".")))
    for name, content, said in [
        ("a.pdf", b"MZ\x90", "holds something else"),
        ("a.exe", b"MZ\x90", "can not be read"),
        ("a.txt", b"\x00\x01\x02", "holds no text"),
    ]:
        with place.work("admin") as ctx, pytest.raises(CanNotRead, match=said):
            service.add_document(ctx, base, name, [content])
    with place.work("admin") as ctx, pytest.raises(Invalid, match="empty"):
        service.add_document(ctx, base, "a.txt", [])
    with place.work("admin") as ctx, pytest.raises(TooLarge):
        service.add_document(ctx, base, "a.txt", (b"x" * 1024 * 1024 for _ in range(26)))
    with place.work("admin") as ctx:
        assert queries.documents(ctx, base).items == []


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(3):
            packed.writestr(f"xl/{number}.xml", b"0" * 80 * 1024 * 1024)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(CanNotRead, match="more than 200 MB"):
        list(pieces_of(path, DocumentKind.EXCEL))


def test_what_eats_the_machine_ends_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(isolated, "SECONDS", 0.05)
    with pytest.raises(CanNotRead, match="took longer"):
        isolated.read(written(tmp_path, "a.txt", b"x"), DocumentKind.TEXT)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/secret", "not on the public internet"),
        ("http://169.254.169.254/latest/meta-data", "not on the public internet"),
        ("http://[::1]/", "not on the public internet"),
    ],
)
def test_a_private_address_is_never_fetched(place, base, run_jobs, url, said):
    with place.work("admin") as ctx:
        document = service.add_page(ctx, base, url).id
    run_jobs()
    read = shown(place, document)
    assert read.status is DocumentStatus.FAILED
    assert said in read.problem


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "javascript:alert(1)", "https://"])
def test_what_is_no_web_address_is_refused(place, base, url):
    with place.work("admin") as ctx, pytest.raises(Invalid, match="no web address"):
        service.add_page(ctx, base, url)


def test_passages_end_at_sentences_overlap_and_lose_nothing():
    sentences = [f"Sentence number {at} says something of some length." for at in range(100)]
    passages = [one.text for one in cut([Piece("page 1", " ".join(sentences))])]
    assert len(passages) > 5
    assert all(len(one) <= LONGEST for one in passages)
    assert all(one.endswith(".") for one in passages)
    for before, after in pairwise(passages):
        assert after.split(". ")[0] in before
    assert all(any(one in passage for passage in passages) for one in sentences)
    long_word = list(cut([Piece("", "x" * 5_000)]))
    assert "".join(one.text for one in long_word) == "x" * 5_000
