"""The people of the desk: accounts with roles, their browsers, and the codes their phones show."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from digest.access import second_factor

PASSWORD = "a-long-enough-word"
#: Who comes to the desk's door, from nobody to the one who may do everything.
ROLES = ("stranger", "reader", "newcomer", "curator", "operator", "owner")


def somebody(role: str, name: str = "", **fields: Any) -> User:
    """Return an account in the group `role`; `reader` is no member of staff, `newcomer` in no group."""
    user = User.objects.create_user(
        name or f"{role}-1", password=PASSWORD, is_staff=role != "reader", **fields
    )
    if role not in {"reader", "newcomer"}:
        user.groups.add(Group.objects.get(name=role))
    return user


def with_an_app(user: User) -> TOTPDevice:
    """Give `user` a second factor, as the page that sets it up does."""
    device = second_factor.opened(second_factor.offer(user), user)
    assert device is not None
    assert second_factor.confirm(device, code_of(device))
    return forgetful(device)


def forgetful(device: TOTPDevice) -> TOTPDevice:
    """Let `device` take the code of this half minute again, as if the half minute were over."""
    TOTPDevice.objects.filter(pk=device.pk).update(
        last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None
    )
    device.refresh_from_db()
    return device


def code_of(device: TOTPDevice) -> str:
    """Return the six digits that the phone shows now."""
    return f"{totp(device.bin_key, t0=int(device.t0), step=device.step):06d}"


def wrong_code_of(device: TOTPDevice) -> str:
    """Return six digits that it shows at no time near."""
    near = {totp(device.bin_key, t0=-step * 30) for step in range(-3, 4)}
    return next(f"{guess:06d}" for guess in range(10) if guess not in near)


def browser_of(role: str) -> Client:
    """Return the browser of somebody in `role`, logged in as far as their role demands it."""
    client = Client()
    if role != "stranger":
        user = somebody(role)
        client.force_login(user)
        if role in {"operator", "owner"}:
            opened_by(client, with_an_app(user))
    return client


def opened_by(client: Client, device: TOTPDevice) -> Client:
    """Let the session of `client` count as opened by a code of `device`."""
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client
