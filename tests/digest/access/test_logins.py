"""Logins: what is written of them, when they are locked, how that ends, and what ends a session."""

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from digest.access.guards import COOL_OFF, FAILURES
from digest.access.receivers import MOST_STRANGERS
from subscribers.models import AuditEvent
from tests.digest.access.people import PASSWORD, browser_of, opened_by, somebody, with_an_app

pytestmark = pytest.mark.django_db

LOGIN, INDEX = reverse("admin:login"), reverse("admin:index")
LOCKS = reverse("admin:axes_accessattempt_changelist")


def typed(name: str, password: str, client: Client | None = None, **more: Any) -> Any:
    """Return the answer to a name and a password."""
    return (client or Client()).post(LOGIN, {"username": name, "password": password, "next": INDEX}, **more)


def lock(name: str, **more: Any) -> Any:
    """Type wrong passwords until the login is locked; return the last answer."""
    for _ in range(FAILURES - 1):
        assert typed(name, "wrong", **more).status_code == 200
    return typed(name, "wrong", **more)


def told() -> list[tuple[str, str, str, str]]:
    """Return the log, the oldest first."""
    rows = AuditEvent.objects.order_by("pk").values_list("kind", "by_name", "about", "detail")
    return list(rows)


def test_logging_in_and_out_is_written_with_the_address_it_came_from(settings: Settings) -> None:
    settings.PROXY_HOPS = 1
    somebody("curator")
    client = Client(headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.4"})
    typed("curator-1", PASSWORD, client)
    client.post(reverse("admin:logout"))
    assert told() == [
        ("login", "curator-1", "user curator-1", "password"),
        ("logout", "curator-1", "user curator-1", ""),
    ]
    assert set(AuditEvent.objects.values_list("network", flat=True)) == {"198.51.100.4"}


def test_a_wrong_password_is_written_with_the_name_if_somebody_has_it() -> None:
    somebody("curator")
    typed("curator-1", "wrong")
    typed("my password, by mistake", "curator-1")
    typed("ada@example.org", "wrong")
    assert told() == [
        ("login_failed", "", "user curator-1", "wrong password"),
        ("login_failed", "", "no user of this name", "wrong password"),
        ("login_failed", "", "no user of this name", "wrong password"),
    ]


def test_nobody_fills_the_log_with_names_that_nobody_has() -> None:
    somebody("curator")
    now = timezone.now()
    typed("nobody-0", "wrong")
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now, kind="login_failed", about="no user of this name")
        for _ in range(MOST_STRANGERS - 2)
    )
    assert len(told()) == MOST_STRANGERS - 1
    for number in range(1, 4):
        assert typed(f"nobody-{number}", "wrong").status_code == 200
    assert len(told()) == MOST_STRANGERS
    typed("curator-1", "wrong")
    assert told()[-1][2] == "user curator-1"
    with time_machine.travel(now + timedelta(minutes=61)):
        typed("nobody-5", "wrong")
    assert told()[-1][2] == "no user of this name"


def test_what_was_typed_in_vain_is_kept_nowhere_and_logged_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("axes").setLevel(logging.DEBUG)
    somebody("curator")
    for _ in range(FAILURES + 1):
        typed("hunter2-typed-as-name", "hunter3-typed-as-password", REMOTE_ADDR="203.0.113.77")
        typed("curator-1", "hunter3-typed-as-password", REMOTE_ADDR="203.0.113.77")
    logging.getLogger("axes").setLevel(logging.WARNING)
    kept = " ".join(str(row) for row in AccessAttempt.objects.values())
    assert "curator-1" in kept
    for text in (kept, str(told())):
        assert "hunter2" not in text
        assert "hunter3" not in text
    spoken = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("axes"))
    assert "AXES" in spoken
    for secret in ("hunter", "curator-1", "203.0.113.77"):
        assert secret not in spoken


def test_after_five_wrong_passwords_the_right_one_opens_nothing_and_a_page_says_until_when() -> None:
    somebody("curator")
    with time_machine.travel(timezone.now().replace(hour=9, minute=58, second=0), tick=False):
        answer = lock("curator-1")
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        page = answer.content.decode()
        assert "10:13 UTC" in page
        assert "in 15 minutes" in page
    with time_machine.travel(timezone.now().replace(hour=10, minute=11, second=0), tick=False):
        page = typed("curator-1", PASSWORD).content.decode()
        assert "10:13 UTC" in page  # trying has not made it longer
        assert "in 2 minutes" in page
    assert told()[-1] == ("login_failed", "", "user curator-1", "login locked")
    assert [row[3] for row in told()].count("login locked") == 1
    assert [row[3] for row in told()].count("wrong password") == FAILURES - 1  # the fifth one locked it


def test_the_lock_ends_by_itself() -> None:
    somebody("curator")
    lock("curator-1")
    assert typed("curator-1", PASSWORD).status_code == 429
    with time_machine.travel(timezone.now() + COOL_OFF + timedelta(seconds=1)):
        assert typed("curator-1", PASSWORD).status_code == 302


def test_a_lock_holds_for_one_name_from_one_address() -> None:
    somebody("curator")
    somebody("curator", "other")
    lock("curator-1", REMOTE_ADDR="203.0.113.7")
    assert typed("curator-1", PASSWORD, REMOTE_ADDR="203.0.113.7").status_code == 429
    assert typed("curator-1", PASSWORD, REMOTE_ADDR="203.0.113.8").status_code == 302
    assert typed("other", PASSWORD, REMOTE_ADDR="203.0.113.7").status_code == 302


def test_changing_ones_browsers_name_does_not_help_nor_does_an_address_written_by_oneself(
    settings: Settings,
) -> None:
    settings.PROXY_HOPS = 1
    somebody("curator")
    for number in range(FAILURES):
        typed(
            "curator-1",
            "wrong",
            HTTP_USER_AGENT=f"browser {number}",
            HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.7",
        )
    assert typed("curator-1", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.7").status_code == 429


def test_the_many_addresses_of_one_site_of_ipv6_count_as_one() -> None:
    somebody("curator")
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        for number in range(1, FAILURES):
            wrong = typed("curator-1", "wrong", REMOTE_ADDR=f"2001:db8:7:{number}::{number}")
            assert wrong.status_code == 200
        assert typed("curator-1", "wrong", REMOTE_ADDR="2001:db8:7:ffff::9").status_code == 429
    with time_machine.travel(start + timedelta(minutes=5), tick=False):
        answer = typed("curator-1", PASSWORD, REMOTE_ADDR="2001:db8:7:1::1")
        assert (answer.status_code, answer["Retry-After"]) == (429, "600")
        assert typed("curator-1", PASSWORD, REMOTE_ADDR="2001:db8:8:1::1").status_code == 302


def test_the_right_password_forgets_the_wrong_ones_before() -> None:
    somebody("curator")
    for _ in range(FAILURES - 1):
        typed("curator-1", "wrong")
    assert typed("curator-1", PASSWORD).status_code == 302
    assert typed("curator-1", "wrong").status_code == 200


def test_an_owner_sees_a_lock_and_lifts_it_once_asked() -> None:
    somebody("curator")
    lock("curator-1")
    lock("a password typed here")
    owner = browser_of("owner")
    page = owner.get(LOCKS).content.decode()
    assert "curator-1" in page
    assert "no user of this name" in page
    assert "a password typed here" not in page
    attempt = AccessAttempt.objects.get(username="curator-1")
    asked = {"action": "lift", "_selected_action": attempt.pk}
    assert "Lift these locks?" in owner.post(LOCKS, asked).content.decode()
    assert typed("curator-1", PASSWORD).status_code == 429
    owner.post(LOCKS, {**asked, "confirmed": "yes"})
    assert typed("curator-1", PASSWORD).status_code == 302
    assert ("deed", "owner-1", "login of curator-1", "lock lifted") in told()


def test_a_command_lifts_all_locks() -> None:
    somebody("curator")
    lock("curator-1")
    call_command("axes_reset")
    assert typed("curator-1", PASSWORD).status_code == 302


@pytest.mark.parametrize("by", ["themselves", "an owner"])
def test_a_new_password_ends_every_other_session(by: str) -> None:
    user = somebody("curator")
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        typed("curator-1", PASSWORD, client)
        assert client.get(INDEX).status_code == 200
    new = "another-long-enough-word"
    if by == "themselves":
        fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert here.post(reverse("admin:password_change"), fields).status_code == 302
        assert here.get(INDEX).status_code == 200
        assert ("changed", "curator-1", "user curator-1", "own password") in told()
    else:
        where = reverse("admin:auth_user_password_change", args=[user.pk])
        fields = {"password1": new, "password2": new, "usable_password": "true"}
        assert browser_of("owner").post(where, fields).status_code == 302
        assert here.get(INDEX)["Location"].startswith(LOGIN)
        assert any(row[:3] == ("changed", "owner-1", "user curator-1") for row in told())
    assert elsewhere.get(INDEX)["Location"].startswith(LOGIN)
    assert typed("curator-1", PASSWORD).status_code == 200
    assert typed("curator-1", new).status_code == 302


@pytest.mark.parametrize("role", ["newcomer", "curator", "operator", "owner"])
def test_everybody_may_change_their_password(role: str) -> None:
    client = browser_of(role)
    assert client.get(reverse("admin:password_change")).status_code == 200
    page = client.post(reverse("admin:password_change"), {"old_password": "wrong"}).content.decode()
    assert "Your old password was entered incorrectly" in page
    assert not AuditEvent.objects.filter(detail="own password").exists()


def test_making_an_account_inactive_ends_its_sessions() -> None:
    user = somebody("curator")
    client = Client()
    typed("curator-1", PASSWORD, client)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(INDEX)["Location"].startswith(LOGIN)
    assert typed("curator-1", PASSWORD).status_code == 200


def test_a_session_ends_twelve_hours_after_the_login() -> None:
    somebody("curator")
    client = Client()
    typed("curator-1", PASSWORD, client)
    start = timezone.now()
    with time_machine.travel(start + timedelta(hours=11, minutes=59)):
        assert client.get(INDEX).status_code == 200
    with time_machine.travel(start + timedelta(hours=12, minutes=1)):
        assert client.get(INDEX)["Location"].startswith(LOGIN)


def test_the_sessions_cookie_goes_to_the_desk_alone_and_no_script_reads_it() -> None:
    somebody("curator")
    cookie = typed("curator-1", PASSWORD).cookies["sessionid"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/", True, "Lax")
    assert int(cookie["max-age"]) == 12 * 3600


def test_who_logs_in_by_program_in_a_test_is_logged_in_and_not_in_the_log() -> None:
    client = Client()
    client.force_login(somebody("curator"))
    assert client.get(INDEX).status_code == 200
    assert told() == []


def test_deleting_an_account_keeps_what_it_did() -> None:
    owner, curator = somebody("owner"), somebody("curator")
    typed("curator-1", PASSWORD)
    desk = Client()
    desk.force_login(owner)
    opened_by(desk, with_an_app(owner))
    desk.post(reverse("admin:auth_user_delete", args=[curator.pk]), {"post": "yes"})
    assert not User.objects.filter(username="curator-1").exists()
    event = AuditEvent.objects.get(kind="login")
    assert (event.by, event.by_name) == (None, "curator-1")
    assert ("deleted", "owner-1", "user curator-1", "") in told()


def test_a_login_that_came_from_nowhere_leads_to_the_desk() -> None:
    somebody("curator")
    page = Client().get(LOGIN).content.decode()
    assert f'name="next" value="{INDEX}"' in page
    answer = Client().post(LOGIN, {"username": "curator-1", "password": PASSWORD})
    assert answer["Location"] == INDEX
