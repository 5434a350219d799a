"""How the public pages are looked at in these tests."""

import gzip
import re

from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

#: Text that would act in a page or turn it round, were it not taken for text.
SCRIPT = "<script>alert(1)</script>{{ 7*7 }}{% now 'Y' %}"
TURNED = "\u202eright to left\u202c"
HOSTILE = (SCRIPT, TURNED, "A" * 5_000, "word " * 1_000, "<img src=x onerror=alert(1)>", "&lt;b&gt;")


def seen(client: Client, path: str, status: int = 200) -> str:
    """Return the page at `path`."""
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def curators(text: str, longest: int) -> str:
    """Return `text` as a curator may write it: marks that turn the reading order come from sources."""
    return text.replace("\u202e", "")[:longest]


def harmless(page: str) -> bool:
    """Say whether nothing of HOSTILE acts in `page`."""
    scripts = re.findall(r"<script\b[^>]*>", page)
    ours = all(re.fullmatch(r'<script src="/static/[^"]+" (async )?defer>', script) for script in scripts)
    return ours and "<img src=x" not in page and "\u202e" not in page and ">49<" not in page


def on_the_wire(client: Client, path: str) -> int:
    """Return the bytes of the page and of all its style sheets and scripts, each compressed."""
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    page = gzip.decompress(answer.content).decode()
    parts = re.findall(r'(?:<link rel="stylesheet" href|<script src)="/static/([^"]+)"', page)
    assert parts
    return len(answer.content) + sum(len(gzip.compress(_static(name), 6)) for name in parts)


def _static(name: str) -> bytes:
    with staticfiles_storage.open(name) as file:
        return bytes(file.read())
