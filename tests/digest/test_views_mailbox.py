from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from digest import mailbox
from digest.views.mailbox import PER_PAGE
from tests.digest.test_mailbox import a_mail, send


@pytest.fixture(autouse=True)
def _development(settings: Settings, tmp_path: Path) -> None:
    settings.MAILBOX_DIR = tmp_path
    settings.DEBUG = True
    settings.EMAIL_BACKEND = "digest.mailbox.EmailBackend"


def paths() -> list[str]:
    send(a_mail())
    name = mailbox.names()[0]
    return ["/mailbox/", *(f"/mailbox/{name}/{end}" for end in ("", "html", "source", "?show=text"))]


def test_an_empty_mailbox_says_how_to_get_a_mail(client: Client) -> None:
    page = client.get("/mailbox/")
    assert page.status_code == 200
    assert "No mail yet" in page.content.decode()
    assert 'href="/subscribe/"' in page.content.decode()


@pytest.mark.django_db
def test_in_development_the_way_to_the_mailbox_is_shown_and_nowhere_else(
    client: Client, settings: Settings
) -> None:
    pages = ["/subscribe/", "/subscribe/sent/", "/editions/"]
    assert [client.get(page).content.count(b'href="/mailbox/"') for page in pages] == [1, 2, 1]
    for name, value in {"DEBUG": False, "EMAIL_BACKEND": "subscribers.smtp.EmailBackend"}.items():
        before = getattr(settings, name)
        setattr(settings, name, value)
        assert not any(b"/mailbox/" in client.get(page).content for page in pages)
        setattr(settings, name, before)


def test_the_list_shows_the_newest_first_a_page_at_a_time(client: Client) -> None:
    send(*[a_mail(f"Subject {place:03}") for place in range(PER_PAGE + 1)])
    first, second = (client.get(f"/mailbox/?page={page}").content.decode() for page in (1, 2))
    assert f"Subject {PER_PAGE:03}" in first
    assert "Subject 000" not in first
    assert "Subject 000" in second
    assert first.index(f"Subject {PER_PAGE:03}") < first.index("Subject 001")


def test_what_a_mail_says_is_escaped(client: Client) -> None:
    send(a_mail("<script>alert(1)</script>"))
    (name,) = mailbox.names()
    for path in ("/mailbox/", f"/mailbox/{name}/", f"/mailbox/{name}/?show=headers"):
        page = client.get(path).content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>" not in page


@pytest.mark.parametrize(
    ("show", "seen"),
    [("mail", "<iframe"), ("phone", "phone"), ("text", "Hällo"), ("headers", "List-Unsubscribe-Post")],
)
def test_a_message_can_be_looked_at_in_four_ways(client: Client, show: str, seen: str) -> None:
    send(a_mail())
    page = client.get(f"/mailbox/{mailbox.names()[0]}/?show={show}").content.decode()
    assert seen in page
    assert "Grüße" in page
    assert page.count('aria-current="page"') == 1


def test_a_message_without_html_is_shown_as_text(client: Client) -> None:
    message = a_mail()
    message.alternatives = []
    send(message)
    page = client.get(f"/mailbox/{mailbox.names()[0]}/").content.decode()
    assert "<iframe" not in page
    assert "Hällo" in page


def test_the_frame_is_locked_in_and_its_links_open_beside_it(client: Client) -> None:
    send(a_mail())
    answer = client.get(f"/mailbox/{mailbox.names()[0]}/html")
    guard = answer["Content-Security-Policy"]
    assert guard.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; ")
    assert "allow-scripts" not in guard
    assert "allow-same-origin" not in guard
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank">' in answer.content.decode()
    framing = client.get(f"/mailbox/{mailbox.names()[0]}/").content.decode()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in framing


def test_the_download_is_the_message_byte_for_byte(client: Client) -> None:
    send(a_mail())
    (name,) = mailbox.names()
    answer = client.get(f"/mailbox/{name}/source")
    assert answer.content == a_mail().message().as_bytes()
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}.eml"'


@pytest.mark.parametrize("production", [{"DEBUG": False}, {"EMAIL_BACKEND": "subscribers.smtp.EmailBackend"}])
def test_nothing_of_it_exists_where_mails_really_leave(
    client: Client, settings: Settings, production: dict[str, object]
) -> None:
    addresses = paths()
    assert {client.get(path).status_code for path in addresses} == {200}
    for name, value in production.items():
        setattr(settings, name, value)
    assert {client.get(path).status_code for path in addresses} == {404}


@pytest.mark.parametrize("name", ["nothing", "00000000000000000001-00000000", "..%2Fsecret"])
def test_a_message_that_is_not_there_is_not_found(client: Client, name: str) -> None:
    for end in ("", "html", "source"):
        assert client.get(f"/mailbox/{name}/{end}").status_code == 404


def test_looking_is_all_one_can_do_and_no_cache_keeps_it(client: Client) -> None:
    for path in paths():
        assert client.post(path).status_code == 405
        assert "no-store" in client.get(path)["Cache-Control"]


def test_an_unknown_way_of_looking_is_not_found(client: Client) -> None:
    send(a_mail())
    assert client.get(f"/mailbox/{mailbox.names()[0]}/?show=everything").status_code == 404
