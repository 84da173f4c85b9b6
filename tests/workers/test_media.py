"""Files that people send: fetched once, whole, from Meta only, and shown to their workspace only."""

import base64
import errno
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from aerostic.core import clock
from aerostic.core.due_work import DueWork, WorkKind
from aerostic.core.ids import new_id
from aerostic.core.permissions import Permission, Role, system
from aerostic.core.settings import settings
from aerostic.core.tenancy import shared_work
from aerostic.domain.identity.models import Membership
from aerostic.domain.inbox.models import Message
from aerostic.domain.media import storage
from aerostic.domain.media.models import Media, MediaStatus
from aerostic.domain.tenants import service as tenants
from aerostic.integrations.meta import media as metas
from tests.clients import member, visitor
from tests.meta import change, delivery, message, phone
from workers.jobs import media as jobs

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Graph:
    """A Graph API that has one file, on a loopback port."""

    def __init__(self) -> None:
        self.content = PICTURE
        self.mime_type = "image/png"
        self.status = 200
        self.url = ""
        self.error: dict[str, int] | None = None
        self.seen: list[tuple[str, str]] = []
        graph = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                graph.seen.append((path, self.headers.get("Authorization", "")))
                graph.answer(self, path)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        import json

        body = self.content
        if path != "/file":
            told = {"url": self.url or self.base + "/file", "mime_type": self.mime_type, "id": "1"}
            body = json.dumps({"error": self.error} if self.error else told).encode()
        handler.send_response(self.status)
        if self.status == 302:
            handler.send_header("Location", self.base + "/elsewhere")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def graph(monkeypatch, tmp_path) -> Iterator[Graph]:
    with shared_work(system("test")) as ctx:  # what other tests have left to be fetched
        ctx.session.execute(delete(DueWork).where(col(DueWork.kind) == WorkKind.MEDIA))
    graph = Graph()
    ours = settings().model_copy(update={"meta_graph_url": graph.base, "media_dir": tmp_path})
    for module in (storage, metas):
        monkeypatch.setattr(module, "settings", lambda: ours)
    yield graph
    graph.close()


def receive(meta, place, run_jobs, **node) -> UUID:
    """A picture comes in; the id of its media."""
    file = {"id": "1234", "mime_type": "image/png", **node}
    told = message(phone(), {"type": "image", "image": file})
    meta.deliver(delivery(place, change(place, messages=[told])))
    run_jobs()
    with place.work() as ctx:
        newest = select(Message).order_by(col(Message.id).desc()).limit(1)
        media_id = ctx.session.exec(newest).one().media_id
    assert media_id is not None
    return media_id


def media_of(place, media_id) -> Media:
    with place.work() as ctx:
        return ctx.get(Media, media_id)


def due(place, media_id) -> DueWork | None:
    with shared_work(system("test")) as ctx:
        return ctx.session.get(DueWork, (WorkKind.MEDIA, place.tenant_id, media_id))


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_a_picture_is_fetched_and_shown_to_its_workspace_only(meta, place, rival, graph, run_jobs):
    media_id = receive(meta, place, run_jobs, sha256=digest(PICTURE))
    stored = media_of(place, media_id)
    assert (stored.status, stored.mime_type, stored.size) == ("stored", "image/png", len(PICTURE))
    assert due(place, media_id) is None
    assert [path for path, _ in graph.seen] == [f"/{settings().meta_graph_version}/1234", "/file"]
    answer = member(place, "agent").get(f"/media/{media_id}")
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert member(rival).get(f"/media/{media_id}").status_code == 404
    assert visitor().get(f"/media/{media_id}").status_code == 401


def test_a_recording_can_be_wound_and_is_not_sent_twice(meta, place, graph, run_jobs):
    media_id = receive(meta, place, run_jobs)
    client = member(place)
    part = client.get(f"/media/{media_id}", headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    etag = part.headers["etag"]
    again = client.get(f"/media/{media_id}", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_that_calls_itself_a_picture_is_only_offered_for_download(
    meta, place, graph, run_jobs
):
    graph.content = b"<html><script>alert(1)</script></html>"
    media_id = receive(meta, place, run_jobs)
    answer = member(place).get(f"/media/{media_id}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_damaged_file_is_fetched_again_later(meta, place, graph, run_jobs):
    media_id = receive(meta, place, run_jobs, sha256=digest(b"something else"))
    waiting = media_of(place, media_id)
    assert (waiting.status, waiting.attempts) == (MediaStatus.PENDING, 1)
    assert waiting.problem == "The file arrived damaged."
    assert due(place, media_id).due_at > clock.now()


def test_a_busy_meta_is_asked_again_and_at_last_given_up(meta, place, graph, run_jobs):
    graph.status = 503
    media_id = receive(meta, place, run_jobs)
    for _ in range(7):
        with shared_work(system("test")) as ctx:
            work = ctx.session.get(DueWork, (WorkKind.MEDIA, place.tenant_id, media_id))
            work.due_at = clock.now()
        jobs.fetch()
    failed = media_of(place, media_id)
    assert (failed.status, failed.problem) == (MediaStatus.FAILED, "WhatsApp is busy.")
    assert due(place, media_id) is None


def test_a_file_that_meta_has_no_more_fails_with_words(meta, place, graph, run_jobs):
    graph.status = 400
    media_id = receive(meta, place, run_jobs)
    failed = media_of(place, media_id)
    assert failed.status == MediaStatus.FAILED
    assert failed.problem == "WhatsApp does not have this file any more."


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (190, "WhatsApp does not accept the account's token. Connect the account again."),
        (10, "WhatsApp does not accept the account's token. Connect the account again."),
        (80007, "WhatsApp is busy."),
    ],
)
def test_a_refusal_that_passes_loses_no_file(meta, place, graph, run_jobs, code, problem):
    graph.status, graph.error = 400, {"code": code}
    media_id = receive(meta, place, run_jobs)
    waiting = media_of(place, media_id)
    assert (waiting.status, waiting.problem) == (MediaStatus.PENDING, problem)
    assert due(place, media_id).due_at > clock.now()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/file",
        "http://169.254.169.254/latest",
        "https://lookaside.fbsbx.com.evil.test/x",
        "https://lookaside.fbsbx.com@evil.test/x",
        "http://lookaside.fbsbx.com/x",
        "file:///etc/passwd",
    ],
)
def test_the_token_goes_nowhere_but_to_meta(meta, place, graph, run_jobs, url):
    graph.url = url
    media_id = receive(meta, place, run_jobs)
    assert media_of(place, media_id).status == MediaStatus.FAILED
    assert len(graph.seen) == 1


def test_a_redirect_is_not_followed(meta, place, graph, run_jobs):
    graph.status = 302
    receive(meta, place, run_jobs)
    assert [path for path, _ in graph.seen] == [f"/{settings().meta_graph_version}/1234"]


def test_a_full_disk_loses_nothing(meta, place, graph, run_jobs, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as crowded:
        crowded.setattr(storage.os, "fsync", full)
        media_id = receive(meta, place, run_jobs)
    waiting = media_of(place, media_id)
    assert waiting.status == MediaStatus.PENDING
    assert waiting.problem.startswith("The disk is full")
    with shared_work(system("test")) as ctx:
        work = ctx.session.get(DueWork, (WorkKind.MEDIA, place.tenant_id, media_id))
        work.due_at = clock.now()
    jobs.fetch()
    assert media_of(place, media_id).status == MediaStatus.STORED


def test_nothing_half_written_is_left(meta, place, graph, run_jobs, tmp_path, monkeypatch):
    monkeypatch.setattr("aerostic.domain.media.kinds.LARGEST", 10)
    media_id = receive(meta, place, run_jobs)
    assert media_of(place, media_id).problem == "This file is larger than 0 KB."
    assert list((tmp_path / "unfinished").iterdir()) == []


# Uploads


def upload(client, content: bytes, name: str = "a.png", kind: str = "image/png"):
    return client.post("/api/v1/media", files={"file": (name, content, kind)})


def test_an_upload_can_be_opened_by_its_workspace(place, rival, graph):
    answer = upload(member(place, "agent"), PICTURE, "../../Menü .png")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["mime_type"], made["file_name"]) == ("image/png", "Menü .png")
    assert member(place).get(made["url"]).content == PICTURE
    assert member(rival).get(made["url"]).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"", "image/png", "This file is empty."),
        (
            PICTURE + b"\0" * (5 * 1024 * 1024),
            "image/png",
            "WhatsApp takes at most 5 MB of this kind of file.",
        ),
    ],
)
def test_what_whatsapp_would_refuse_is_refused_now(place, graph, content, kind, expected):
    answer = upload(member(place), content, kind=kind)
    assert answer.status_code == 422
    assert answer.json()["detail"] == expected
    with place.work() as ctx:
        assert ctx.session.exec(select(Media)).all() == []


def test_what_is_refused_is_not_kept(place, graph):
    too_large_for_a_sticker = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\0" * 600_000
    assert upload(member(place), too_large_for_a_sticker, kind="image/webp").status_code == 422
    kept = settings().media_root / str(place.tenant_id)
    assert [path for path in kept.rglob("*") if path.is_file()] == []


def test_a_suspended_workspace_does_not_hide_the_files_of_another(place, make_place, graph):
    standing = make_place("A first by its name")
    with shared_work(system("test", *Permission)) as ctx:
        both = Membership(tenant_id=standing.tenant_id, user_id=place.owner_id, role=Role.OWNER)
        ctx.session.add(both)
        tenants.suspend(ctx, standing.tenant_id)
    client = member(place)
    headers = {"X-Workspace": place.slug}
    files = {"file": ("a.png", PICTURE, "image/png")}
    made = client.post("/api/v1/media", files=files, headers=headers).json()
    assert client.get(made["url"]).content == PICTURE


def test_a_file_is_what_it_is_not_what_it_is_called(place, graph):
    made = upload(member(place), PICTURE, "a.jpg", "image/jpeg").json()
    assert made["mime_type"] == "image/png"


def test_a_file_that_is_not_there_is_not_found(place, graph):
    assert member(place).get(f"/media/{new_id()}").status_code == 404
