"""Thumbnails: fetched once from hosts we know, checked, drawn anew."""

import io
import struct
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image
from pytest_django import Settings

from digest.models import Paper
from digest.thumbnails import ThumbnailError, fetch_missing, redraw
from tests.cast import NOON, a_paper
from tests.digest.loopback import Loopback, Reply


def picture(
    kind: str = "PNG", size: tuple[int, int] = (1200, 648), mode: str = "RGB", color: object = "red"
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, kind)  # type: ignore[arg-type]
    return file.getvalue()


def declared(width: int, height: int) -> bytes:
    """Return a PNG that says it has so many pixels and brings next to none."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_usual_kind_is_drawn_anew_as_a_jpeg_320_wide(kind: str) -> None:
    drawn = redraw(picture(kind))
    with Image.open(io.BytesIO(drawn.jpeg)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (320, 173), "RGB")
    assert (drawn.width, drawn.height) == (320, 173)
    assert len(drawn.jpeg) < 20_000


def test_what_is_transparent_becomes_white() -> None:
    drawn = redraw(picture(mode="RGBA", color=(255, 0, 0, 0)))
    with Image.open(io.BytesIO(drawn.jpeg)) as image:
        assert image.getpixel((100, 100)) == (255, 255, 255)


def test_a_small_picture_is_not_blown_up_and_a_tall_one_is_cut() -> None:
    assert redraw(picture(size=(100, 50))).width == 100
    tall = redraw(picture(size=(400, 4000)))
    assert (tall.width, tall.height) == (320, 640)


def test_the_metadata_of_the_file_that_came_is_gone() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    Image.new("RGB", (400, 400)).save(file, "JPEG", exif=exif)
    assert b"secret" in file.getvalue()
    assert b"secret" not in redraw(file.getvalue()).jpeg


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", picture()[:300], picture("JPEG")[:400],
     picture("BMP"), picture("TIFF"), declared(50_000, 50_000), declared(6_000, 6_000), declared(0, 5)],
    ids=["nothing", "svg", "stub", "half-png", "half-jpeg", "bmp", "tiff", "bomb", "big", "no-width"],
)  # fmt: skip
def test_what_is_no_sound_picture_is_refused(body: bytes) -> None:
    with pytest.raises(ThumbnailError):
        redraw(body)


def test_more_pixels_than_a_picture_needs_are_refused_before_they_are_unpacked() -> None:
    with pytest.raises(ThumbnailError, match="5000 x 4100 pixels are too many"):
        redraw(picture(size=(5000, 4100), mode="1", color=0))


@pytest.fixture
def shelf(far_end: Loopback, settings: Settings, tmp_path: Path, db: None) -> Loopback:  # noqa: ARG001
    """The far end serves a picture; our storage is empty."""
    settings.MEDIA_ROOT = tmp_path
    far_end.in_turn(Reply(picture()))
    return far_end


def with_thumbnail(far_end: Loopback, name: str = "a.png") -> Paper:
    return a_paper(thumbnail_url=f"{far_end.url}/{name}")


def test_a_missing_thumbnail_is_fetched_once_and_kept(shelf: Loopback) -> None:
    paper = with_thumbnail(shelf)
    assert fetch_missing(at=NOON) == (1, 0)
    paper.refresh_from_db()
    assert paper.thumbnail.startswith("thumbnails/")
    assert paper.thumbnail.endswith(".jpg")
    assert (paper.thumbnail_width, paper.thumbnail_height) == (320, 173)
    assert default_storage.open(paper.thumbnail).read(2) == b"\xff\xd8"
    assert fetch_missing(at=NOON + timedelta(days=9)) == (0, 0)
    assert len(shelf.asked) == 1


def test_equal_pictures_share_one_file(shelf: Loopback) -> None:
    with_thumbnail(shelf, "a.png")
    with_thumbnail(shelf, "b.png")
    assert fetch_missing(at=NOON) == (2, 0)
    assert len(set(Paper.objects.values_list("thumbnail", flat=True))) == 1
    assert len(default_storage.listdir("thumbnails")[1]) == 1


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(b"<html>"), Reply(picture() + b"x" * 9_000_000)])
def test_a_failure_is_remembered_and_tried_again_the_next_day(shelf: Loopback, reply: Reply) -> None:
    paper = with_thumbnail(shelf)
    shelf.in_turn(reply)
    assert fetch_missing(at=NOON) == (0, 1)
    asked = len(shelf.asked)
    assert fetch_missing(at=NOON + timedelta(hours=23)) == (0, 0)
    assert len(shelf.asked) == asked
    shelf.in_turn(Reply(picture()))
    assert fetch_missing(at=NOON + timedelta(hours=24)) == (1, 0)
    paper.refresh_from_db()
    assert paper.thumbnail


def test_only_hosts_on_the_list_are_asked(shelf: Loopback, settings: Settings) -> None:
    settings.THUMBNAIL_HOSTS = ["cdn.example.org"]
    with_thumbnail(shelf)
    assert fetch_missing(at=NOON) == (0, 1)
    assert shelf.asked == []


def test_plain_http_is_for_loopback_in_development_only(shelf: Loopback, settings: Settings) -> None:
    with_thumbnail(shelf)
    settings.DEBUG = False
    assert fetch_missing(at=NOON) == (0, 1)
    assert shelf.asked == []


def test_a_redirect_leads_nowhere(shelf: Loopback) -> None:
    with_thumbnail(shelf)
    shelf.in_turn(Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    assert fetch_missing(at=NOON) == (0, 1)
    assert len(shelf.asked) == 1


def test_the_newest_come_first_up_to_the_limit_and_withdrawn_ones_not_at_all(shelf: Loopback) -> None:
    old = a_paper(thumbnail_url=f"{shelf.url}/old", stored_at=NOON - timedelta(days=9))
    new = a_paper(thumbnail_url=f"{shelf.url}/new", stored_at=NOON)
    a_paper(thumbnail_url=f"{shelf.url}/gone", withdrawn_at=NOON)
    a_paper()
    assert fetch_missing(at=NOON, limit=1) == (1, 0)
    assert [asked.path for asked in shelf.asked] == ["/new"]
    assert fetch_missing([new, old], at=NOON) == (1, 0)
    assert [asked.path for asked in shelf.asked] == ["/new", "/old"]


def test_a_host_that_is_away_is_not_asked_for_every_picture(db: None, far_end: Loopback) -> None:  # noqa: ARG001
    for number in range(9):
        a_paper(thumbnail_url=f"{far_end.url}/{number}.png")
    far_end.answer = lambda _asked: Reply(status=404)
    assert fetch_missing(at=NOON) == (0, 5)
    assert Paper.objects.filter(thumbnail_tried_at=None).count() == 4
    far_end.answer = lambda _asked: Reply(picture())
    assert fetch_missing(at=NOON) == (4, 0)


def test_no_picture_is_begun_when_time_is_up(db: None, far_end: Loopback) -> None:  # noqa: ARG001
    a_paper(thumbnail_url=f"{far_end.url}/1.png")
    assert fetch_missing(at=NOON, seconds=0) == (0, 0)
    assert far_end.asked == []
