"""`check --deploy`: what it says about Paperboy's own settings."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

TLS = ("HTTP_X_FORWARDED_PROTO", "https")
GOOD = {
    "PEPPER_FROM_SECRET_KEY": False,
    "SITE_URL": "https://papers.example.org",
    "ALLOWED_HOSTS": ["papers.example.org"],
    "EMAIL_BACKEND": "subscribers.smtp.EmailBackend",
    "EMAIL_HOST": "mail.example.org",
    "EMAIL_HOST_PASSWORD": "hunter2",
    "EMAIL_USE_TLS": True,
    "EMAIL_USE_SSL": False,
    "SECURE_PROXY_SSL_HEADER": TLS,
    "PROXY_HOPS": 1,
    "ADMIN_TWO_FACTOR": True,
}


def ours(settings: Settings, *, deploy: bool = True, **changed: Any) -> list[CheckMessage]:
    for name, value in {**GOOD, **changed}.items():
        setattr(settings, name, value)
    found = run_checks(include_deployment_checks=deploy)
    return [message for message in found if (message.id or "").startswith("paperboy.")]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ALLOWED_HOSTS": [".example.org"]},
        {"SITE_URL": "https://papers.example.org:8443/daily"},
        {"SITE_URL": "https://[::1]", "ALLOWED_HOSTS": ["[::1]"]},
        {"EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend", "EMAIL_USE_TLS": False},
        {"EMAIL_HOST": "localhost", "EMAIL_USE_TLS": False},
        {"EMAIL_HOST_PASSWORD": "", "EMAIL_USE_TLS": False},
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"PROXY_HOPS": 0, "SECURE_PROXY_SSL_HEADER": None},
    ],
)
def test_there_is_nothing_to_say_about_good_settings(settings: Settings, changed: dict[str, Any]) -> None:
    assert ours(settings, **changed) == []


@pytest.mark.parametrize(
    ("changed", "number", "advice"),
    [
        ({"PEPPER_FROM_SECRET_KEY": True}, "W001", "set ADDRESS_PEPPER to 50 random"),
        ({"ALLOWED_HOSTS": ["www.example.org"]}, "W002", "Add papers.example.org to ALLOWED_HOSTS"),
        ({"EMAIL_BACKEND": "digest.mailbox.EmailBackend"}, "W003", "Set EMAIL_URL"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "W003", "Set EMAIL_URL"),
        ({"EMAIL_USE_TLS": False}, "W004", "smtp+tls://"),
        ({"PROXY_HOPS": 0}, "W005", "Set PROXY_HOPS to the number of proxies"),
        (
            {
                "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
                "ANYMAIL_PROVIDER": "postmark",
                "ANYMAIL": {"WEBHOOK_SECRET": []},
            },
            "W006",
            "https://papers.example.org/webhooks/postmark/tracking/",
        ),
        ({"ADMIN_TWO_FACTOR": False}, "W007", "Take ADMIN_TWO_FACTOR out of the environment"),
    ],
)
def test_each_risk_is_told_with_what_to_do(
    settings: Settings, changed: dict[str, Any], number: str, advice: str
) -> None:
    (told,) = ours(settings, **changed)
    assert told.id == f"paperboy.{number}"
    assert told.hint
    assert advice in told.hint
    assert "hunter2" not in str(told)


def test_development_is_left_alone(settings: Settings) -> None:
    assert ours(settings, deploy=False, PEPPER_FROM_SECRET_KEY=True, ALLOWED_HOSTS=["elsewhere"]) == []
