"""What follows from a migration, a login, a wrong password, a lock and a logout."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from axes.signals import user_locked_out
from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from digest import rights
from digest.access.locks import known_name
from subscribers.audit import record_for
from subscribers.models import AuditEvent
from subscribers.networks import client_address

Kind = AuditEvent.Kind
_STRANGER = "no user of this name"
#: Logins under names that nobody has, written within an hour: anybody could fill the log with them.
MOST_STRANGERS = 200


@receiver(post_migrate, dispatch_uid="digest.access.write_groups")
def write_groups(app_config: AppConfig, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    """Write the groups once all apps' tables and permissions are there; a flush comes by here, too."""
    there = more.get("apps") or apps
    if app_config is not _last() or "auth" not in there.app_configs:
        return
    # Django makes the permissions of this last app in a receiver of its own, which may come after this one.
    create_permissions(app_config, verbosity=0, using=more["using"], apps=there)
    rights.write_groups()


@receiver(user_logged_in, dispatch_uid="digest.access.logged_in")
def logged_in(request: HttpRequest, user: User, **_: Any) -> None:  # noqa: ANN401 - Django's signature
    """Write that somebody logged in. A session made by a program has no address that it was asked at."""
    if request.path_info:
        _write(request, user, Kind.LOGIN, "password")


@receiver(user_logged_out, dispatch_uid="digest.access.logged_out")
def logged_out(request: HttpRequest, user: User | None, **_: Any) -> None:  # noqa: ANN401 - as above
    """Write that somebody logged out, if somebody was logged in."""
    if request.path_info and user is not None:
        _write(request, user, Kind.LOGOUT, "")


@receiver(user_login_failed, dispatch_uid="digest.access.login_failed")
def login_failed(
    credentials: Mapping[str, Any],
    request: HttpRequest | None = None,
    **_: Any,  # noqa: ANN401 - as above
) -> None:
    """Write a wrong password; of the name only if it is a user's. While the login is locked, nothing."""
    if request is None or getattr(request, "axes_locked_out", False):
        return
    _write_failure(request, credentials, "wrong password")


@receiver(user_locked_out, dispatch_uid="digest.access.locked")
def locked(request: HttpRequest, **_: Any) -> None:  # noqa: ANN401 - as above
    """Write that the login was locked, once: axes tells it again at each try until the lock ends."""
    if getattr(request, "axes_failures_since_start", None) is not None:
        _write_failure(request, getattr(request, "axes_credentials", None) or {}, "login locked")


def _last() -> AppConfig:
    """Return the app that Django tells of last that its migrations are done."""
    return [config for config in apps.get_app_configs() if config.models_module is not None][-1]


def _write(request: HttpRequest, user: User, kind: AuditEvent.Kind, detail: str) -> None:
    about, network = f"user {user.get_username()}", client_address(request)
    record_for(user, kind, about, detail, at=timezone.now(), network=network)


def _write_failure(request: HttpRequest, credentials: Mapping[str, Any], detail: str) -> None:
    name = known_name(credentials.get("username"))
    now = timezone.now()
    if not name and _has_enough_strangers(now):
        return
    about = f"user {name}" if name else _STRANGER
    record_for(None, Kind.LOGIN_FAILED, about, detail, at=now, network=client_address(request))


def _has_enough_strangers(now: datetime) -> bool:
    lately = AuditEvent.objects.filter(at__gt=now - timedelta(hours=1), about=_STRANGER).order_by("at")
    return lately[:MOST_STRANGERS].count() == MOST_STRANGERS
