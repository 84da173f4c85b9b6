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

BODY = (
    "Hi, does the blue one come in size XL as well? I would like to order two, please ship before "
    "Friday to the address on file."
)


def delivery(number: str, chance: random.Random, moment: int) -> bytes:
    """One message of a stranger to a number, always of the same length."""
    phone = f"1555{chance.randrange(10**7):07d}"
    wamid = base64.b64encode(b"HBgLMTU1NTEyMzQ1Njc%016x" % chance.getrandbits(64)).decode()
    message = {
        "from": phone,
        "id": f"wamid.{wamid}",
        "timestamp": str(moment),
        "type": "text",
        "text": {"body": BODY},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": phone}],
        "messages": [message],
    }
    entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
    whole = {"object": "whatsapp_business_account", "entry": [entry]}
    return json.dumps(whole, separators=(",", ":")).encode()


def main(count: str, secret: str, numbers: str, seed: str = "1") -> None:
    chance = random.Random(int(seed))
    choices = numbers.split(",")
    moment = int(time.time())
    for index in range(int(count)):
        body = delivery(choices[index % len(choices)], chance, moment)
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        sys.stdout.write(f"{signature}\t{body.decode()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
