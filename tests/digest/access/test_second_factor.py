"""Two-factor login: who is led to it, what opens, what does not, and the ways out of a lost phone."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from digest.access import second_factor
from subscribers.models import AuditEvent
from tests.digest.access.people import (
    PASSWORD,
    code_of,
    forgetful,
    opened_by,
    somebody,
    with_an_app,
    wrong_code_of,
)

pytestmark = pytest.mark.django_db

INDEX, STATE = reverse("admin:index"), reverse("admin:two_factor")
SET_UP, CODE = reverse("admin:two_factor_set_up"), reverse("admin:two_factor_code")
CODES, OFF = reverse("admin:two_factor_backup_codes"), reverse("admin:two_factor_off")
EDITIONS = reverse("admin:digest_edition_changelist")


def logged_in(user: User) -> Client:
    """Return the browser of `user` after the password."""
    client = Client()
    answer = client.post(
        reverse("admin:login"), {"username": user.username, "password": PASSWORD, "next": INDEX}
    )
    assert answer.status_code == 302
    return client


def offered(page: str) -> tuple[str, TOTPDevice]:
    """Return what the set-up page offers: the sealed secret, and the phone that has scanned it."""
    sealed = re.search(r'name="offered" value="([^"]+)"', page)
    secret = re.search(r'class="pb-secret">([A-Z2-7 ]+)<', page)
    assert sealed
    assert secret
    user = User.objects.get(pk=signing.loads(sealed[1], salt="second factor to be")[0])
    device = second_factor.opened(sealed[1], user)
    assert device is not None
    assert second_factor.picture(device).startswith("data:image/svg+xml")
    return sealed[1], device


@pytest.mark.parametrize("role", ["operator", "owner"])
def test_who_needs_one_and_has_none_is_led_to_set_it_up_and_opens_nothing_else(role: str) -> None:
    client = logged_in(somebody(role))
    for path in (EDITIONS, STATE, OFF, reverse("admin:password_change"), reverse("admin:jsi18n")):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SET_UP)
    assert client.get(INDEX)["Location"] == SET_UP
    assert client.post(EDITIONS)["Location"] == SET_UP
    assert client.get(SET_UP).status_code == 200
    assert client.post(reverse("admin:logout")).status_code == 200


def test_setting_it_up_ends_with_ten_codes_on_paper_and_an_open_desk() -> None:
    client = logged_in(somebody("owner"))
    sealed, phone = offered(client.get(f"{SET_UP}?next={EDITIONS}").content.decode())
    assert not TOTPDevice.objects.exists()  # looking changes nothing
    before = client.session.session_key
    page = client.post(SET_UP, {"offered": sealed, "code": code_of(phone), "next": EDITIONS}).content.decode()
    codes = re.findall(r"<li>([a-z2-7]{4}-[a-z2-7]{4})</li>", page)
    assert len(set(codes)) == 10
    assert f'href="{EDITIONS}"' in page
    assert client.get(EDITIONS).status_code == 200
    assert client.session.session_key != before
    assert codes[0] not in client.get(STATE).content.decode()
    assert not StaticToken.objects.filter(
        token__in=[code.replace("-", "") for code in codes]
    )  # kept as hashes
    assert AuditEvent.objects.filter(kind="changed", detail="set up", by_name="owner-1").count() == 1


def test_a_wrong_code_sets_nothing_up_and_keeps_the_picture() -> None:
    client = logged_in(somebody("owner"))
    sealed, phone = offered(client.get(SET_UP).content.decode())
    answer = client.post(SET_UP, {"offered": sealed, "code": wrong_code_of(phone)})
    assert answer.status_code == 422
    assert "This code is wrong" in answer.content.decode()
    assert offered(answer.content.decode())[0] == sealed
    assert not TOTPDevice.objects.exists()


def test_a_secret_offered_to_somebody_else_or_too_long_ago_is_not_taken() -> None:
    owner, other = somebody("owner"), somebody("operator")
    client = logged_in(owner)
    sealed = second_factor.offer(other)
    phone = second_factor.opened(sealed, other)
    assert phone is not None
    page = client.post(SET_UP, {"offered": sealed, "code": code_of(phone)}).content.decode()
    assert "stood open for too long" in page
    sealed, phone = offered(client.get(SET_UP).content.decode())
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        page = client.post(SET_UP, {"offered": sealed, "code": code_of(phone)}).content.decode()
    assert "stood open for too long" in page
    assert not TOTPDevice.objects.exists()


def test_after_the_password_a_code_is_asked_for_and_leads_on() -> None:
    user = somebody("operator")
    phone = with_an_app(user)
    client = logged_in(user)
    for path in (INDEX, EDITIONS, STATE, SET_UP, CODES, OFF):
        assert client.get(path)["Location"].partition("?")[0] == CODE
        assert client.post(path)["Location"] == CODE
    where = client.get(EDITIONS)["Location"]
    assert client.get(where).status_code == 200
    answer = client.post(CODE, {"code": f" {code_of(phone)[:3]} {code_of(phone)[3:]}", "next": EDITIONS})
    assert answer["Location"] == EDITIONS
    assert client.get(EDITIONS).status_code == 200
    assert list(AuditEvent.objects.filter(kind="login").values_list("detail", flat=True)) == [
        "second factor",
        "password",
    ]


def test_another_browser_is_asked_for_its_own_code() -> None:
    user = somebody("operator")
    opened_by(logged_in(user), with_an_app(user))
    assert logged_in(user).get(EDITIONS)["Location"].startswith(CODE)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/editions/"])
def test_a_code_leads_nowhere_but_to_the_desk(elsewhere: str) -> None:
    user = somebody("operator")
    phone = with_an_app(user)
    answer = logged_in(user).post(CODE, {"code": code_of(phone), "next": elsewhere})
    assert answer["Location"] == INDEX


def test_a_wrong_code_opens_nothing_and_makes_the_next_one_wait() -> None:
    user = somebody("operator")
    phone = with_an_app(user)
    client = logged_in(user)
    answer = client.post(CODE, {"code": wrong_code_of(phone)})
    assert answer.status_code == 422
    assert "This code is wrong" in answer.content.decode()
    answer = client.post(CODE, {"code": code_of(phone)})  # at once: even the right one
    assert "Too many wrong codes. Please wait a second" in answer.content.decode()
    assert client.get(EDITIONS)["Location"].startswith(CODE)
    failed = AuditEvent.objects.get(kind="login_failed")
    assert (failed.by_name, failed.detail) == ("operator-1", "wrong code")


def test_waiting_doubles_with_each_wrong_code() -> None:
    user = somebody("operator")
    phone = with_an_app(user)
    waits = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(4):
            assert second_factor.accept(user, wrong_code_of(phone)) is None
            with pytest.raises(second_factor.TooSoonError) as told:
                second_factor.accept(user, code_of(phone))
            waits.append(round((told.value.until - timezone.now()).total_seconds()))
            clock.move_to(told.value.until)
    assert waits == [1, 2, 4, 8]


def test_a_code_opens_once() -> None:
    user = somebody("operator")
    phone = with_an_app(user)
    code = code_of(phone)
    assert second_factor.accept(user, code) is not None
    assert second_factor.accept(user, code) is None


def test_a_backup_code_opens_once_and_counts_down() -> None:
    user = somebody("operator")
    with_an_app(user)
    codes = second_factor.renew_backup_codes(user)
    client = logged_in(user)
    assert client.post(CODE, {"code": codes[3].upper()})["Location"] == INDEX
    assert "9 of ten left" in client.get(STATE).content.decode()
    other = logged_in(user)
    assert other.post(CODE, {"code": codes[3]}).status_code == 422
    assert other.get(EDITIONS)["Location"].startswith(CODE)
    assert AuditEvent.objects.filter(kind="login", detail="backup code").count() == 1


def test_new_backup_codes_end_the_old_ones_and_the_session_goes_on() -> None:
    user = somebody("operator")
    with_an_app(user)
    old = second_factor.renew_backup_codes(user)
    client = logged_in(user)
    client.post(CODE, {"code": old[0]})
    assert client.get(CODES)["Location"] == STATE
    page = client.post(CODES).content.decode()
    new = re.findall(r"<li>([a-z2-7]{4}-[a-z2-7]{4})</li>", page)
    assert len(new) == 10
    assert client.get(EDITIONS).status_code == 200
    assert second_factor.accept(user, old[1]) is None
    assert second_factor.backup_codes_left(user) == 10


def test_a_new_phone_ends_the_old_one_once_it_has_shown_a_code() -> None:
    user = somebody("operator")
    old = with_an_app(user)
    client, elsewhere = opened_by(logged_in(user), old), opened_by(logged_in(user), old)
    sealed, phone = offered(client.get(SET_UP).content.decode())
    assert elsewhere.get(EDITIONS).status_code == 200
    client.post(SET_UP, {"offered": sealed, "code": code_of(phone)})
    assert client.get(EDITIONS).status_code == 200
    assert elsewhere.get(EDITIONS)["Location"].startswith(CODE)
    assert TOTPDevice.objects.get().key == phone.key != old.key


def test_a_curator_may_have_one_and_turn_it_off_again() -> None:
    user = somebody("curator")
    client = logged_in(user)
    assert client.get(EDITIONS).status_code == 200
    assert "Set it up" in client.get(STATE).content.decode()
    sealed, phone = offered(client.get(SET_UP).content.decode())
    client.post(SET_UP, {"offered": sealed, "code": code_of(phone)})
    assert logged_in(user).get(EDITIONS)["Location"].startswith(CODE)
    assert "Turn off two-factor login?" in client.get(OFF).content.decode()
    assert second_factor.is_set_up(user)
    assert client.post(OFF)["Location"] == STATE
    assert not second_factor.is_set_up(user)
    assert logged_in(user).get(EDITIONS).status_code == 200
    assert AuditEvent.objects.filter(detail="second factor turned off").count() == 1


@pytest.mark.parametrize("role", ["operator", "owner"])
def test_who_needs_one_cannot_turn_it_off(role: str) -> None:
    user = somebody(role)
    client = opened_by(logged_in(user), with_an_app(user))
    assert client.get(OFF).status_code == 403
    assert client.post(OFF).status_code == 403
    assert second_factor.is_set_up(user)
    assert "Turn it off" not in client.get(STATE).content.decode()


def test_anothers_device_does_not_open_ones_session() -> None:
    operator, owner = somebody("operator"), somebody("owner")
    with_an_app(operator)
    client = opened_by(logged_in(operator), with_an_app(owner))
    assert client.get(EDITIONS)["Location"].startswith(CODE)


def test_an_owner_resets_a_lost_second_factor_once_asked_and_it_ends_the_sessions_it_opened() -> None:
    owner, operator = somebody("owner"), somebody("operator")
    desk = opened_by(logged_in(owner), with_an_app(owner))
    theirs = opened_by(logged_in(operator), with_an_app(operator))
    users = reverse("admin:auth_user_changelist")
    asked = {"action": "reset_second_factor", "_selected_action": operator.pk}
    assert "Reset the second factor of these accounts?" in desk.post(users, asked).content.decode()
    assert second_factor.is_set_up(operator)
    desk.post(users, {**asked, "confirmed": "yes"})
    assert not second_factor.is_set_up(operator)
    assert theirs.get(EDITIONS)["Location"].startswith(SET_UP)
    event = AuditEvent.objects.get(detail="second factor reset")
    assert (event.by_name, event.about) == ("owner-1", "user operator-1")


def test_the_last_owner_is_let_in_again_by_a_command() -> None:
    owner = somebody("owner")
    forgetful(with_an_app(owner))
    call_command("reset_two_factor", "owner-1")
    assert not second_factor.is_set_up(owner)
    assert logged_in(owner).get(EDITIONS)["Location"].startswith(SET_UP)
    assert AuditEvent.objects.filter(detail="second factor reset by command", about="user owner-1").exists()
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("reset_two_factor", "nobody")


def test_htmx_is_told_to_leave_the_page_rather_than_given_one_to_put_into_it() -> None:
    client = logged_in(somebody("owner"))
    answer = client.get(EDITIONS, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"].partition("?")[0]) == (403, SET_UP)


def test_the_app_shows_the_lists_name() -> None:
    phone = with_an_app(somebody("owner"))
    assert "issuer=Daily%20Papers" in phone.config_url


def test_switched_off_the_password_opens_all_and_the_page_says_so(settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR = False
    user = somebody("owner")
    with_an_app(user)
    client = logged_in(user)
    assert client.get(EDITIONS).status_code == 200
    assert "switched off on this installation" in client.get(STATE).content.decode()
    assert client.get(SET_UP)["Location"] == STATE
