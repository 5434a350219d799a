"""Asking the JSON endpoint."""

import json
from typing import Any

from django.test import Client

from tests.subscribers.door.visits import stamp

DOOR = "/api/subscribe"
JSON = "application/json"


def post(client: Client, body: object, headers: dict[str, str] | None = None, kind: str = JSON) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(DOOR, sent, content_type=kind, headers=headers or {})


def wish(**fields: object) -> dict[str, object]:
    return {"address": "ada@example.org", "stamp": stamp(), **fields}
