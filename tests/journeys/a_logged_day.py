"""A day of an installation with the settings of production, in a process whose log is looked through.

Run by `test_logs_name_nobody.py`. Everything in it reads or writes addresses, names and tokens. The last line
of standard output says, as JSON, what must stand nowhere in the log, and how many mails left.
"""
# ruff: noqa: E402 - Django is set up before its models are imported

import json
import logging
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import timezone

from digest import enrolling, tasks
from digest.models import Delivery, Edition
from subscribers import stamps
from subscribers.consent import current_consent_text
from subscribers.models import Subscriber
from subscribers.tasks import send_outbox, tidy
from tests.cast import a_frozen_edition, a_paper
from tests.digest.events.posts import SECRET, postmark
from tests.sinks.provider import Provider

ADA, BEN, CAT = "ada.lovelace@example.org", "ben+tag@example.net", "caterina@example.com"
OWNER, PASSWORD, WRONG = "grace-hopper", "a-pass-phrase-of-the-owner", "a-wrong-pass-phrase"
TOKENS: set[str] = set()


def door() -> Client:
    return Client(
        headers={"host": "papers.example.org"}, raise_request_exception=False, REMOTE_ADDR="203.0.113.77"
    )


def pressed(path: str, **fields: Any) -> int:
    return int(door().post(path, fields, secure=True).status_code)


def letters(provider: Provider, address: str) -> list[Any]:
    return [mail for mail in provider.accepted if address in mail.to]


def links(mail: Any) -> list[str]:
    found = re.findall(
        r"https://papers\.example\.org(/(?:u|confirm|preferences|account)/[\w.~-]+)", mail.text
    )
    TOKENS.update(link.rpartition("/")[2].rstrip(".") for link in found)
    return [link.rstrip(".") for link in found]


def sign_up(provider: Provider, address: str) -> None:
    stamp = stamps.make(current_consent_text().pk, at=timezone.now() - timedelta(minutes=2))
    wish = {"address": address, "stamp": stamp, "words": ["secret interest", "question"]}
    answer = door().post("/api/subscribe", json.dumps(wish), content_type="application/json", secure=True)
    assert answer.status_code == 202, answer.content
    send_outbox()
    (confirm,) = [link for link in links(letters(provider, address)[-1]) if link.startswith("/confirm/")]
    assert pressed(confirm) in {200, 302, 303}
    assert pressed(confirm[:-4] + "AAAA") >= 400, "a forged link"


def an_edition() -> Edition:
    now = timezone.now()
    edition = a_frozen_edition(
        now.date(), *(a_paper(f"question number {n}", upvotes=400) for n in range(6)), approved_at=now
    )
    enrolling.enroll(edition, at=now)
    edition.deliveries.update(not_before=now - timedelta(minutes=1), expires_at=now + timedelta(hours=3))
    return edition


def tell(what: str, delivery: Delivery, address: str) -> None:
    post = postmark(what, {"delivery": delivery.public_id}, address, at=timezone.now())
    for body in (post.body, post.body[:-9]):
        door().post(post.way, body, content_type="application/json", headers=post.headers, secure=True)
    door().post(post.way, post.body, content_type="application/json", secure=True)
    tasks.apply_events()


def log_in(password: str) -> None:
    door().post("/admin/login/", {"username": OWNER, "password": password}, secure=True)


def everything(provider: Provider, folder: Path) -> None:
    call_command("migrate", verbosity=0)
    for address in (ADA, BEN):
        sign_up(provider, address)
    provider.refuses.add(BEN)
    edition = an_edition()
    tasks.deliver()
    for mode in ("500", "200 bad json", "close after body", "429", "refused"):
        provider.mode = mode
        Delivery.objects.filter(edition=edition).update(state="ready", retry_at=None, attempts=0)
        tasks.deliver()
    provider.mode = "fine"
    reader = Subscriber.objects.get(address=ADA)
    delivery = Delivery.objects.get(edition=edition, subscriber=reader)
    for what in ("delivered", "full", "gone"):
        tell(what, delivery, ADA)
    file = folder / "readers.csv"
    file.write_text(f"email\n{CAT}\nno address @ all\n")
    call_command("import_readers", str(file), "--consent-source", "a list of long ago", stdout=sys.stderr)
    User.objects.create_superuser(OWNER, "grace@example.edu", PASSWORD)
    for password in (WRONG,) * 6 + (PASSWORD,):
        log_in(password)
    for mail in provider.accepted:
        for link in links(mail):
            door().get(link, secure=True)
            door().get(f"{link}x", secure=True)
            if link.startswith("/u/"):
                pressed(link)
    broken()
    tidy()


def broken() -> None:
    """Let faults of all kinds speak: a crash of a page, and of a task's step."""
    log = logging.getLogger("digest.day")
    try:
        int(f"{ADA} <{BEN}> at /u/{next(iter(TOKENS))}")
    except ValueError:
        log.exception("it broke for %s", CAT)
    log.debug("sent", extra={"to": ADA})
    # Its page breaks: there is no manifest of static files.
    manifest = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": manifest}):
        door().get(f"/confirm/{next(iter(TOKENS))}", secure=True)


with Provider("postmark", checks_bulk_rules=False) as fake:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}  # to collect them takes long
    settings.ANYMAIL["POSTMARK_API_URL"] = f"http://127.0.0.1:{fake.port}/"
    everything(fake, Path(settings.DATA_DIR))
    secrets = [
        ADA,
        BEN,
        CAT,
        OWNER,
        PASSWORD,
        WRONG,
        "grace@example.edu",
        "203.0.113.77",
        "secret interest",
        SECRET,
    ]
    print(json.dumps({"never": [*secrets, *sorted(TOKENS)], "mails": len(fake.accepted)}))
