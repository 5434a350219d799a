"""Looking at HTML as a browser takes it apart."""

import re
from html import unescape
from html.parser import HTMLParser


class Elements(HTMLParser):
    """All start tags of a piece of HTML: (tag, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def code(page: str, name: str) -> str:
    """Return what somebody copies from the field with the id `name`."""
    match = re.search(rf'<textarea id="{name}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert match
    return unescape(match[1])
