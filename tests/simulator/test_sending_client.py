"""The product's own client for sending, towards the simulator: two who know only Meta's documents."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from aerostic.integrations.meta.client import Accepted, Access, GraphClient, Refused, Uploaded
from tests.simulator.conftest import AMARA_PHONE, NUMBER, SECRET, TOKEN, Receiver, Running, until

R = TypeVar("R")


def ask(
    simulator: Running, work: Callable[[GraphClient, Access], Awaitable[R]], token: str = TOKEN
) -> R:
    """What the client answers."""

    async def run() -> R:
        async with GraphClient(
            graph_url=f"{simulator.base}/simulator/graph", app_secret=SECRET
        ) as client:
            return await work(client, Access(NUMBER, token, "v25.0"))

    # In a thread: a browser's test in this process leaves a loop running in the main one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def text(body: str) -> dict[str, object]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": AMARA_PHONE,
        "type": "text",
        "text": {"body": body},
        "biz_opaque_callback_data": "ours-1",
    }


def test_a_message_is_taken_and_its_statuses_name_our_id(
    simulator: Running, receiver: Receiver
) -> None:
    simulator.say({"type": "text", "text": "Hello"})
    answer = ask(simulator, lambda client, access: client.send(access, text("Hi")))
    assert isinstance(answer, Accepted)
    until(lambda: "delivered" in receiver.status_names(answer.meta_message_id))
    told = receiver.statuses(answer.meta_message_id)
    assert {status["biz_opaque_callback_data"] for status in told} == {"ours-1"}


def test_a_refusal_is_known_by_its_code(simulator: Running) -> None:
    closed = ask(simulator, lambda client, access: client.send(access, {**text("Hi"), "to": ""}))
    assert isinstance(closed, Refused)
    assert closed.error.code == 131009
    wrong = ask(simulator, lambda client, access: client.send(access, text("Hi")), token="no-such")
    assert isinstance(wrong, Refused)
    assert wrong.error.code == 190


def test_a_file_is_uploaded_and_sent(simulator: Running, tmp_path: Path) -> None:
    simulator.say({"type": "text", "text": "Hello"})
    file = tmp_path / "price list.pdf"
    file.write_bytes(b"%PDF-1.4 prices")
    uploaded = ask(
        simulator,
        lambda client, access: client.upload(access, file, "application/pdf", file.name),
    )
    assert isinstance(uploaded, Uploaded)
    node = {"type": "document", "document": {"id": uploaded.meta_media_id, "filename": file.name}}
    body = {**text(""), **node}
    del body["text"]
    assert isinstance(ask(simulator, lambda client, access: client.send(access, body)), Accepted)


def test_their_message_is_marked_read_with_typing(simulator: Running, receiver: Receiver) -> None:
    simulator.say({"type": "text", "text": "Hello"})
    until(receiver.messages)
    theirs = receiver.messages()[0]["id"]
    assert ask(simulator, lambda client, access: client.mark_read(access, theirs, typing=True))
