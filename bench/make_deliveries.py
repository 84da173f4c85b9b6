"""Distinct signed deliveries of one message each (about 600 bytes) for `ingest_load.lua`.

python bench/make_deliveries.py COUNT APP_SECRET PHONE_NUMBER_ID[,PHONE_NUMBER_ID…] > bodies.tsv
"""

import base64
import hashlib
import hmac
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

BODY = (
    "Hi, does the blue one come in size XL as well? I would like to order two, please ship before "
    "Friday to the address on file."
)


def delivery(
    number: str, chance: random.Random, moment: int, phone: str = "", *, text: str = BODY
) -> bytes:
    """One message to a number, of a stranger unless `phone` is given, always of the same length."""
    phone = phone or f"1555{chance.randrange(10**7):07d}"
    whole = {
        "object": "whatsapp_business_account",
        "entry": [entry(number, [phone], chance, moment, text)],
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def entry(
    number: str, phones: Sequence[str], chance: random.Random, moment: int, text: str = BODY
) -> dict[str, Any]:
    """A message from each of these people to a number, as Meta bundles them."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": phone} for phone in phones],
        "messages": [_message(phone, chance, moment, text) for phone in phones],
    }
    return {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}


def _message(phone: str, chance: random.Random, moment: int, text: str) -> dict[str, Any]:
    wamid = base64.b64encode(b"HBgLMTU1NTEyMzQ1Njc%016x" % chance.getrandbits(64)).decode()
    return {
        "from": phone,
        "id": f"wamid.{wamid}",
        "timestamp": str(moment),
        "type": "text",
        "text": {"body": text},
    }


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_lines(count: int, secret: str, numbers: Sequence[str], seed: int = 1) -> Iterator[bytes]:
    """`signature TAB body`, a line each, dealt out among the numbers in turn."""
    chance = random.Random(seed)
    moment = int(time.time())
    for index in range(count):
        body = delivery(numbers[index % len(numbers)], chance, moment)
        yield signature(body, secret).encode() + b"\t" + body + b"\n"


def main(count: str, secret: str, numbers: str, seed: str = "1") -> None:
    sys.stdout.buffer.writelines(signed_lines(int(count), secret, numbers.split(","), int(seed)))


if __name__ == "__main__":
    main(*sys.argv[1:])
