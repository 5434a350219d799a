"""A whole day's log, at every level, names no reader, no curator, no token and no network address."""

import json
import secrets
from pathlib import Path

import pytest

from tests.digest.events.posts import SECRET
from tests.restoring import Installation
from tests.sinks.dialects import KEY


def production(folder: Path, level: str) -> Installation:
    return Installation(
        folder,
        "smtp://127.0.0.1:9",
        {
            "SECRET_KEY": secrets.token_urlsafe(60),
            "TOKEN_KEYS": f"k1:{secrets.token_urlsafe(32)}",
            "ALLOWED_HOSTS": "papers.example.org",
            "DEFAULT_FROM_EMAIL": "Papers <papers@papers.example.org>",
            "POSTAL_ADDRESS": "1 Example Street, Example Town",
            "ANYMAIL_PROVIDER": "postmark",
            "POSTMARK_SERVER_TOKEN": KEY,
            "WEBHOOK_SECRET": SECRET,
            "LOG_LEVEL": level,
        },
    )


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_a_days_log_names_nobody(tmp_path: Path, level: str) -> None:
    house = production(tmp_path, level)
    code, said = house.run("-m", "tests.journeys.a_logged_day")
    assert code == 0, said[-3000:]
    *log, last = said.strip().splitlines()
    day = json.loads(last)
    assert day["mails"] >= 3
    text = "\n".join(log)
    found = [secret for secret in day["never"] if secret.lower() in text.lower()]
    lines = [line for line in log if any(secret.lower() in line.lower() for secret in found)]
    assert found == [], lines[:5]
    assert "it broke for (address)" in text, "faults are told, without whom they were about"
    refused = [json.loads(line) for line in log if '"link refused"' in line]
    assert len({line["request"] for line in refused}) == len(refused) > 2, "each line says of which request"
    events = {json.loads(line)["event"] for line in log if line.startswith("{")}
    assert {"delivery_not_accepted", "edition_moved"} <= events if level == "INFO" else events
