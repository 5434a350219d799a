"""Curators with a browser each, and what they press at the desk of an edition."""

from dataclasses import dataclass, field
from typing import Any, cast

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from lxml import html

from digest.models import Edition, Paper
from digest.rights import write_groups


@dataclass
class Curator:
    """A person of the group `curator`, whose page of `edition` shows the revision `seen`."""

    name: str
    edition: Edition
    client: Client = field(default_factory=Client)
    seen: int = 0

    @classmethod
    def of(cls, name: str, edition: Edition, group: str = "curator") -> "Curator":
        """Log somebody in and let them look at the desk."""
        write_groups()  # the flush after a transactional test takes them
        user = User.objects.create_user(name, password="a-long-enough-word", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        person = cls(name, edition)
        person.client.force_login(user)
        person.look()
        return person

    def url(self, name: str) -> str:
        """Return the address of one of the edition's pages."""
        return reverse(f"admin:{name}", args=[self.edition.pk])

    def look(self, **wish: str | int) -> str:
        """Load the desk; return its HTML."""
        answer = self.client.get(self.url("digest_edition_change"), wish)
        assert answer.status_code == 200
        self.edition.refresh_from_db()
        self.seen = self.edition.revision
        return answer.content.decode()

    def post(self, name: str, **given: object) -> Any:
        """Post to one of the desk's addresses, as a form without JavaScript does."""
        values = {"revision": self.seen, **given}
        return self.client.post(self.url(name), values)

    def press(self, deed: str, paper: Paper, *more: object, **given: object) -> Any:
        """Press a button of a paper."""
        return self.post("edition_decide", deed=" ".join(map(str, [deed, paper.pk, *more])), **given)


def elements(page: str, path: str) -> list[html.HtmlElement]:
    """Return the elements of a page at the XPath `path`."""
    return cast("list[html.HtmlElement]", html.document_fromstring(page).xpath(path))


def said(answer: Any) -> str:
    """Return what the page answers to a deed."""
    found = elements(answer.content.decode(), "//*[@data-said]")
    return " ".join(" ".join(str(one.text_content()).split()) for one in found)


def titles(page: str) -> list[str]:
    """Return the titles of the papers on a page, in order."""
    links = elements(page, "//li[contains(@class, 'pb-row')]//h3")
    return [str(one.text_content()).split("Pin ")[-1].strip(" 0123456789\n") for one in links]


def field_of(answer: Any, path: str) -> str:
    """Return the value of the form field at the XPath `path`."""
    found = elements(answer.content.decode(), path)
    assert found, path
    value = found[0].get("value")
    return value if value is not None else str(found[0].text_content()).removeprefix("\n")
