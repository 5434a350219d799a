"""The second factor: a code from a phone's app, or one of ten written on paper."""

from datetime import datetime
from typing import Any, TypeAlias

import segno
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

Factor: TypeAlias = TOTPDevice | StaticDevice

BACKUP_CODES = 10
#: How long the page with a new secret may stand open.
SECONDS_TO_CONFIRM = 30 * 60
_SALT = "second factor to be"


class TooSoonError(ValueError):
    """Too many wrong codes: the next one counts only after `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many wrong codes.")
        self.until = until


def is_set_up(user: User) -> bool:
    """Say whether `user` has an app that makes codes."""
    return bool(TOTPDevice.objects.devices_for_user(user, confirmed=True).exists())


def offer(user: User) -> str:
    """Return a new secret, sealed for `user`: nothing is kept until a code made from it comes back."""
    return signing.dumps([user.pk, default_key()], salt=_SALT)


def opened(offered: str, user: User) -> TOTPDevice | None:
    """Return the device that `offer` made for `user`, not saved yet; None for another's or an old one."""
    try:
        owner, key = signing.loads(offered, salt=_SALT, max_age=SECONDS_TO_CONFIRM)
    except (signing.BadSignature, ValueError):
        return None
    return TOTPDevice(user=user, name="app", key=key) if owner == user.pk else None


def picture(device: TOTPDevice) -> str:
    """Return the QR code of what an app needs to know, as an address that holds the whole picture."""
    code = segno.make(device.config_url, error="m")
    return str(code.svg_data_uri(scale=5, border=3, light="#fff", dark="#111"))


def confirm(device: TOTPDevice, code: str) -> list[str]:
    """Take `device` into use if `code` was made by it; return new backup codes, or nothing if it was not.

    An app and codes of before stop working.
    """
    with transaction.atomic():
        if not device.verify_token(_plain(code)):
            device.delete()  # a wrong code has saved it, to count the failure
            return []
        TOTPDevice.objects.filter(user_id=device.user_id).exclude(pk=device.pk).delete()
        return renew_backup_codes(device.user)


def renew_backup_codes(user: User) -> list[str]:
    """Make ten new codes, to be shown this once; those of before stop working."""
    codes = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
    with transaction.atomic():
        # The row stays: it may be what opened this very session.
        device, _new = StaticDevice.objects.get_or_create(user=user, defaults={"name": "paper"})
        device.token_set.all().delete()
        StaticToken.objects.bulk_create(StaticToken(device=device, token=_kept(code)) for code in codes)
    return [f"{code[:4]}-{code[4:]}" for code in codes]


def backup_codes_left(user: User) -> int:
    """Return how many codes on paper still open."""
    return int(StaticToken.objects.filter(device__user=user).count())


def accept(user: User, code: str) -> Factor | None:
    """Return what made `code`: the app if it has six digits, else the paper; None if it is wrong.

    Raises TooSoonError while the wait after wrong codes lasts.
    """
    plain = _plain(code)
    of_the_app = len(plain) == 6 and plain.isascii() and plain.isdigit()
    model: Any = TOTPDevice if of_the_app else StaticDevice
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return None
        allowed, why = device.verify_is_allowed()
        if not allowed:
            raise TooSoonError(why["locked_until"])
        return device if device.verify_token(plain if of_the_app else _kept(plain)) else None


def remove(user: User) -> bool:
    """Take the second factor from `user`; say whether there was one. Sessions it opened close with it."""
    devices = list(devices_for_user(user, confirmed=None))
    for device in devices:
        device.delete()
    return bool(devices)


def _plain(code: str) -> str:
    """Return what was typed without spaces and hyphens, in small letters."""
    return "".join(code.split()).replace("-", "").lower()


def _kept(code: str) -> str:
    """Return what is stored of a backup code: whoever reads the table cannot log in with it."""
    return salted_hmac("backup code", code, algorithm="sha256").hexdigest()[:16]
