"""What a tenant's address may reach: the cases that others got wrong, against a server on this machine."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from aerostic.core.settings import Settings, SettingsError, settings
from aerostic.integrations.outside import (
    Answer,
    NoAnswer,
    OutsideClient,
    OutsideProblem,
    Refused,
    Request,
    TooBig,
    Unreadable,
)
from aerostic.integrations.outside.addresses import Rules, is_public

LOOPBACK = Rules(allowed=(ip_network("127.0.0.0/8"),))
NOBODY = Rules()


class Server:
    """Answers as a test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.answers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {}
        self.port = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        given = self.answers.get(request.path)
        return await given(request) if given else web.json_response({"path": request.path})


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{_:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


async def _ask(request: Request, rules: Rules = LOOPBACK) -> Answer:
    async with OutsideClient(rules) as client:
        return await client.send(request)


def _refusal(url: str, rules: Rules = NOBODY) -> str:
    with pytest.raises(Refused) as caught:
        asyncio.run(_ask(Request(url), rules))
    assert not caught.value.was_sent
    return caught.value.sentence


PRIVATE = [
    "http://127.0.0.1/",
    "http://127.8.9.10/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.5.4/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0x7f.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://localhost/",
    "http://LOCALHOST/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_what_is_not_public_is_not_called(url: str) -> None:
    assert "not on the public internet" in _refusal(url)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101", "2002:101:101::"],
)
def test_what_is_public_may_be_called(address: str) -> None:
    assert is_public(ip_address(address))
    NOBODY.check("host", address, 443)


@pytest.mark.parametrize(
    "url", ["http://1.1.1.1:22/", "https://1.1.1.1:6379/", "http://1.1.1.1:8080/"]
)
def test_other_ports_than_those_of_the_web_are_not_called(url: str) -> None:
    assert _refusal(url).startswith("Port ")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1:6379/_x",
        "unix:///var/run/docker.sock",
        "http:///path",
        "//example.com/",
        "example.com",
        "",
        "http://exa mple.com/",
        "http://[::1",
        "http://example.com:99999/",
        "http://user:pass@example.com/",
        "javascript:alert(1)",
        "http://2130706433/",  # 127.0.0.1 as one number
        "http://0177.0.0.1/",  # and in eights
        "http://127.1/",
        "http://0/",
    ],
)
def test_what_is_no_web_address_is_not_called(url: str) -> None:
    assert _refusal(url)


def test_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _resolves(monkeypatch, [["10.0.0.1"]])
    assert _refusal("http://innocent.example/") == (
        "innocent.example is not on the public internet, so it is not called from here (10.0.0.1)."
    )


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolves(monkeypatch, [["93.184.216.34", "127.0.0.1"]])
    assert "127.0.0.1" in _refusal("http://innocent.example/")


def test_a_name_that_changes_its_mind_after_the_look_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check of the name is passed by; the one of the dialled address holds."""
    monkeypatch.setattr(
        "aerostic.integrations.outside.client._Resolver.resolve", _always("127.0.0.1")
    )
    assert "127.0.0.1" in _refusal("http://innocent.example/")


def test_a_redirect_to_this_machine_is_refused() -> None:
    async def run() -> None:
        async with serving() as server:
            server.answers["/away"] = _redirect("http://localhost:1/secret", 302)
            one_address = Rules(allowed=(ip_network("127.0.0.1/32"),))
            with pytest.raises(Refused) as caught:
                server.answers["/away"] = _redirect("http://169.254.169.254/latest/", 302)
                await _ask(Request(server.url("/away")), one_address)
            assert "169.254.169.254" in caught.value.sentence
            server.answers["/away"] = _redirect("file:///etc/passwd", 302)
            with pytest.raises(Refused):
                await _ask(Request(server.url("/away")), one_address)
            assert len(server.seen) == 2

    asyncio.run(run())


def test_a_redirect_without_end_is_given_up() -> None:
    async def run() -> None:
        async with serving() as server:
            server.answers["/round"] = _redirect("/round", 307)
            with pytest.raises(Unreadable, match="redirects more than 5 times"):
                await _ask(Request(server.url("/round")))
            assert len(server.seen) == 6

    asyncio.run(run())


def test_a_redirect_to_another_origin_does_not_get_what_proves_who_we_are() -> None:
    async def run() -> None:
        async with serving() as here, serving() as there:
            here.answers["/"] = _redirect(there.url("/b"), 307)
            headers = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Key": "k", "X-Plain": "p"}
            request = Request(here.url("/"), "POST", headers, b"body", private=frozenset({"x-key"}))
            await _ask(request)
            (seen,) = there.seen
            assert (seen.method, there.bodies[0]) == ("POST", b"body")
            assert seen.headers["X-Plain"] == "p"
            assert not {"authorization", "cookie", "x-key"} & {one.lower() for one in seen.headers}

    asyncio.run(run())


def test_a_post_that_is_answered_elsewhere_becomes_a_get_with_its_headers_at_home() -> None:
    async def run() -> None:
        async with serving() as server:
            server.answers["/"] = _redirect("/done", 303)
            headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
            answer = await _ask(Request(server.url("/"), "POST", headers, b"{}"))
            assert answer.content() == {"path": "/done"}
            last = server.seen[-1]
            assert (last.method, server.bodies[-1]) == ("GET", b"")
            assert last.headers["Authorization"] == "Bearer x"
            assert "Content-Type" not in last.headers

    asyncio.run(run())


def test_an_answer_of_fifty_megabytes_is_not_taken_in() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x" * 1_000_000)
        return response

    async def run() -> None:
        async with serving() as server:
            server.answers["/big"] = endless
            with pytest.raises(TooBig, match="larger than 5 MB"):
                await _ask(Request(server.url("/big")))

    asyncio.run(run())


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_small_answer_that_unpacks_to_gigabytes_is_not_unpacked(encoding: str) -> None:
    zeros = b"\0" * 20_000_000
    packed = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    assert len(packed) < 100_000

    async def run() -> None:
        async with serving() as server:
            server.answers["/"] = _bytes(packed, {"Content-Encoding": encoding})
            with pytest.raises(TooBig):
                await _ask(Request(server.url()))

    asyncio.run(run())


@pytest.mark.parametrize(
    "encoding,packed",
    [
        ("gzip", gzip.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
        ("identity", b'{"a": 1}'),
    ],
    ids=["gzip", "deflate", "deflate without a header", "as it is"],
)
def test_packed_answers_are_unpacked(encoding: str, packed: bytes) -> None:
    async def run() -> Answer:
        async with serving() as server:
            kind = {"Content-Encoding": encoding, "Content-Type": "application/json"}
            server.answers["/"] = _bytes(packed, kind)
            return await _ask(Request(server.url()))

    assert asyncio.run(run()).content() == {"a": 1}


@pytest.mark.parametrize("packed,encoding", [(b"junk", "gzip"), (b"junk", "br")])
def test_an_answer_that_can_not_be_unpacked_is_a_problem_and_no_crash(
    packed: bytes, encoding: str
) -> None:
    async def run() -> None:
        async with serving() as server:
            server.answers["/"] = _bytes(packed, {"Content-Encoding": encoding})
            await _ask(Request(server.url()))

    with pytest.raises(Unreadable):
        asyncio.run(run())


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async def run() -> None:
        async with serving() as server:
            server.answers["/"] = silent
            with pytest.raises(NoAnswer, match=r"no answer within 0\.2 seconds") as caught:
                await _ask(Request(server.url(), seconds=0.2))
            assert caught.value.was_sent

    asyncio.run(run())


def test_a_server_that_is_not_there_says_so_and_was_not_reached() -> None:
    with pytest.raises(NoAnswer) as caught:
        asyncio.run(_ask(Request("http://127.0.0.1:1/")))
    assert caught.value.sentence == "127.0.0.1 could not be reached."
    assert not caught.value.was_sent


def test_a_connection_that_breaks_is_not_tried_again() -> None:
    tries = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutsideProblem) as caught:
            await _ask(Request(f"http://127.0.0.1:{port}/", "PUT"))
        assert caught.value.was_sent
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    assert len(tries) == 1


def test_what_is_no_http_is_a_problem_and_no_crash() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.0\r\n\r\n")
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutsideProblem):
            await _ask(Request(f"http://127.0.0.1:{port}/"))
        server.close()
        await server.wait_closed()

    asyncio.run(run())


@pytest.mark.parametrize(
    "name,value", [("X-A", "1\r\nX-B: 2"), ("X-A\r\nX-B", "1"), ("", "1"), ("X-Ä", "1")]
)
def test_a_header_can_not_smuggle_another_one(name: str, value: str) -> None:
    with pytest.raises(Refused, match="can not be sent"):
        asyncio.run(_ask(Request("http://127.0.0.1:1/", headers={name: value})))


def test_what_carries_the_message_can_not_be_set() -> None:
    async def run() -> None:
        async with serving() as server:
            headers = {"Host": "internal", "Content-Length": "99", "Transfer-Encoding": "chunked"}
            await _ask(Request(server.url(), "POST", headers, b"abc"))
            assert server.seen[0].headers["Host"] == f"127.0.0.1:{server.port}"
            assert server.bodies == [b"abc"]

    asyncio.run(run())


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> Answer:
        async with serving() as server:
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
            monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
            return await _ask(Request(server.url("/x")))

    assert asyncio.run(run()).content() == {"path": "/x"}


def test_cookies_are_kept_by_nobody() -> None:
    async def run() -> None:
        async with serving() as server, OutsideClient(LOOPBACK) as client:
            server.answers["/"] = _bytes(b"", {"Set-Cookie": "a=b"})
            await client.send(Request(server.url()))
            await client.send(Request(server.url()))
            assert "Cookie" not in server.seen[1].headers

    asyncio.run(run())


def test_private_networks_can_be_allowed_for_development_and_never_in_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AEROSTIC_OUTSIDE_ALLOW", "127.0.0.1/32, ::1")
    chosen = Settings()
    assert [str(one) for one in Rules.of(chosen).allowed] == ["127.0.0.1/32", "::1/128"]
    monkeypatch.setenv("AEROSTIC_ENV", "production")
    monkeypatch.setenv("AEROSTIC_SMTP_URL", "smtp://mail")
    settings.cache_clear()
    try:
        with pytest.raises(SettingsError, match="AEROSTIC_OUTSIDE_ALLOW must not be set"):
            settings()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def _redirect(target: str, status: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": target})

    return answer


def _bytes(
    body: bytes, headers: dict[str, str]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers)

    return answer


def _always(address: str) -> Callable[..., Awaitable[list[ResolveResult]]]:
    async def resolve(
        self: object, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=address, port=port, family=2, proto=0, flags=0)]

    return resolve


def _resolves(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> None:
    async def resolve(
        self: object, host: str, port: int = 0, family: int = 0
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=2, proto=0, flags=0)
            for one in answers[0]
        ]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
