"""Accounts and groups: owners alone, nobody raises themselves, the last owner stays, all of it in the log."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from subscribers.models import AuditEvent
from subscribers.models.append_only import AppendOnlyError
from tests.cast import NOON
from tests.digest.access.people import browser_of, opened_by, somebody, with_an_app

pytestmark = pytest.mark.django_db

LOG = reverse("admin:subscribers_auditevent_changelist")


def page_of(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def fields_of(user: User, **changed: Any) -> dict[str, Any]:
    """Return what the page of `user` would post: as it is, with the changes."""
    fields: dict[str, Any] = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk for group in user.groups.all()],
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def group(name: str) -> int:
    return Group.objects.get(name=name).pk


def test_an_owner_makes_an_account_and_puts_it_into_a_group() -> None:
    owner = browser_of("owner")
    new = {"username": "new", "password1": "a-long-enough-word", "password2": "a-long-enough-word"}
    owner.post(
        reverse("admin:auth_user_add"),
        {**new, "usable_password": "true", "is_staff": "on", "groups": [group("curator")]},
    )
    user = User.objects.get(username="new")
    assert [each.name for each in user.groups.all()] == ["curator"]
    assert user.has_perm("digest.shape_edition")
    owner.post(page_of(user), fields_of(user, groups=[group("operator")]))
    assert [each.name for each in user.groups.all()] == ["operator"]
    told = AuditEvent.objects.filter(about="user new").order_by("pk")
    assert [(event.kind, event.by_name) for event in told] == [("added", "owner-1"), ("changed", "owner-1")]
    assert "Groups" in told[1].detail
    assert "a-long-enough-word" not in "".join(event.detail for event in told)


@pytest.mark.parametrize("role", ["newcomer", "curator", "operator"])
def test_nobody_but_an_owner_changes_an_account_whatever_permissions_it_was_given(role: str) -> None:
    client = browser_of(role)
    user = User.objects.get(username=f"{role}-1")
    user.user_permissions.set(Permission.objects.all())
    with_an_app(user)
    opened_by(client, with_an_app(user))  # all permissions: a second factor is needed by now
    raised = fields_of(user, groups=[group("owner")], is_superuser="on")
    assert client.get(page_of(user)).status_code == 403
    assert client.post(page_of(user), raised).status_code == 403
    where = reverse("admin:auth_user_password_change", args=[somebody("owner").pk])
    assert (
        client.post(where, {"password1": "mine-from-now-on", "password2": "mine-from-now-on"}).status_code
        == 403
    )
    assert client.post(reverse("admin:auth_user_add"), {"username": "new"}).status_code == 403
    user = User.objects.get(pk=user.pk)
    assert (user.is_superuser, user.groups.filter(name="owner").exists()) == (False, False)


def test_an_owner_who_is_no_superuser_makes_none() -> None:
    owner, curator = browser_of("owner"), somebody("curator")
    owner.post(page_of(curator), fields_of(curator, is_superuser="on", first_name="Ada"))
    curator.refresh_from_db()
    assert (curator.first_name, curator.is_superuser) == ("Ada", False)


def test_whoever_is_added_may_log_in_unless_the_owner_says_otherwise_and_groups_are_explained() -> None:
    page = browser_of("owner").get(reverse("admin:auth_user_add"))
    assert page.context["adminform"].form["is_staff"].value() is True
    assert "A curator shapes, approves and stops editions" in page.content.decode()


@pytest.mark.parametrize("change", [{"groups": []}, {"is_active": None}, {"is_staff": None}])
def test_the_last_owner_stays_one(change: dict[str, Any]) -> None:
    client = browser_of("owner")
    owner = User.objects.get(username="owner-1")
    page = client.post(page_of(owner), fields_of(owner, **change)).content.decode()
    assert "This is the last owner. Make somebody else an owner first." in page
    owner.refresh_from_db()
    assert (owner.is_active, owner.is_staff, owner.groups.count()) == (True, True, 1)
    somebody("owner", "second")
    assert client.post(page_of(owner), fields_of(owner, **change)).status_code == 302


def test_nobody_deletes_themselves() -> None:
    client = browser_of("owner")
    owner = User.objects.get(username="owner-1")
    assert client.post(reverse("admin:auth_user_delete", args=[owner.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_superuser_counts_as_an_owner() -> None:
    client, boss = Client(), User.objects.create_superuser("boss")
    client.force_login(boss)
    opened_by(client, with_an_app(boss))
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 200
    assert client.get(LOG).status_code == 200


def test_a_group_is_looked_at_and_changed_nowhere() -> None:
    owner = browser_of("owner")
    where = reverse("admin:auth_group_change", args=[group("curator")])
    page = owner.get(where).content.decode()
    assert "change topic" in page
    assert owner.post(where, {"name": "curator"}).status_code == 403


def test_the_secrets_of_second_factors_and_sessions_have_no_page() -> None:
    for model in (TOTPDevice, StaticDevice, Session):
        assert not admin.site.is_registered(model)
    with pytest.raises(NoReverseMatch):
        reverse("admin:otp_totp_totpdevice_config", args=[1])


@pytest.fixture
def event() -> AuditEvent:
    return AuditEvent.objects.create(at=NOON, kind="deed", by_name="ada", about="edition of 2026-03-04")


@pytest.mark.parametrize(
    "deed",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda _: AuditEvent.objects.update(by_name="nobody"),
        lambda _: AuditEvent.objects.all().delete(),
        lambda event: AuditEvent.objects.bulk_update([event], ["by_name"]),
        lambda event: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"by_name": "nobody"}),
    ],
)
def test_an_event_of_the_log_is_neither_changed_nor_deleted(
    event: AuditEvent, deed: Callable[[AuditEvent], object]
) -> None:
    event.by_name = "nobody"
    with pytest.raises(AppendOnlyError):
        deed(event)
    assert AuditEvent.objects.get().by_name == "ada"


def test_not_even_an_owner_changes_or_deletes_one_at_the_desk(event: AuditEvent) -> None:
    owner = browser_of("owner")
    key = event.pk
    assert (
        owner.post(reverse("admin:subscribers_auditevent_change", args=[key]), {"about": ""}).status_code
        == 403
    )
    assert (
        owner.post(reverse("admin:subscribers_auditevent_delete", args=[key]), {"post": "yes"}).status_code
        == 403
    )
    owner.post(LOG, {"action": "delete_selected", "_selected_action": key, "post": "yes"})
    assert AuditEvent.objects.filter(pk=key, about="edition of 2026-03-04").exists()


def test_the_log_is_filtered_by_kind_person_and_day_and_searched() -> None:
    owner, curator = browser_of("owner"), somebody("curator")
    for about, by, kind in (("edition one", curator, "deed"), ("topic two", None, "changed")):
        AuditEvent.objects.create(at=NOON, kind=kind, by=by, by_name=by.username if by else "", about=about)

    def found(query: str) -> tuple[bool, bool]:
        page = owner.get(f"{LOG}?{query}").content.decode()
        return "edition one" in page, "topic two" in page

    assert found("") == (True, True)
    assert found("kind__exact=deed") == (True, False)
    assert found(f"by__id__exact={curator.pk}") == (True, False)
    assert found("at__year=2026&at__month=3&at__day=4") == (True, True)
    assert found("at__year=2026&at__month=3&at__day=5") == (False, False)
    assert found("q=topic") == (False, True)
    assert found("q=curator-1") == (True, False)
