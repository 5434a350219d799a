from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    folder = tmp_path / "media" / "thumbnails"
    folder.mkdir(parents=True)
    (folder / "0af3_x-Y.jpg").write_bytes(b"\xff\xd8picture")
    (folder.parent / "secret.jpg").write_bytes(b"secret")
    (folder / "other.png").write_bytes(b"png")
    return folder


def test_a_picture_is_served_to_be_kept_for_ever(client: Client) -> None:
    answer = client.get("/thumbnails/0af3_x-Y.jpg")
    assert answer.getvalue() == b"\xff\xd8picture"
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies


@pytest.mark.parametrize(
    "name",
    [
        "absent.jpg",
        "other.png",
        "..%2Fsecret.jpg",
        "../secret.jpg",
        "%2e%2e/secret.jpg",
        "a b.jpg",
        "x" * 101 + ".jpg",
    ],
)
def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert client.get(f"/thumbnails/{name}").status_code == 404


def test_pictures_can_only_be_looked_at(client: Client) -> None:
    assert client.post("/thumbnails/0af3_x-Y.jpg").status_code == 405
