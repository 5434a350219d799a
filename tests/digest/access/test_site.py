"""The desk's own site: what it does beyond Unfold's."""

from pathlib import Path

import pytest
from django.core.cache import cache
from django.urls import reverse
from pytest_django import Settings
from redis import RedisError

from tests.digest.access.people import browser_of

pytestmark = pytest.mark.django_db
SEARCH = reverse("admin:search")


def test_while_the_cache_is_away_the_search_says_so(settings: Settings, tmp_path: Path) -> None:
    away = {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path / 'nobody.sock'}"}
    settings.CACHES = {"default": away}
    with pytest.raises(RedisError):
        cache.get("anything")
    answer = browser_of("curator").get(SEARCH, {"s": "paper"})
    assert (answer.status_code, "away for a moment" in answer.content.decode()) == (200, True)


@pytest.mark.usefixtures("cache_server")
def test_the_search_finds_pages_that_one_may_open_and_no_others() -> None:
    curators = browser_of("curator").get(SEARCH, {"s": "e", "extended": "1"}).content.decode()
    owners = browser_of("owner").get(SEARCH, {"s": "e", "extended": "1"}).content.decode()
    for name in ("auth_user", "subscribers_auditevent", "axes_accessattempt", "subscribers_subscriber"):
        where = reverse(f"admin:{name}_changelist")
        assert where in owners
        assert where not in curators
    assert reverse("admin:digest_edition_changelist") in curators


@pytest.mark.usefixtures("cache_server")
@pytest.mark.parametrize("page", ["0", "-1", "99", "two", "%00"])
def test_a_page_of_the_search_that_is_not_there_is_not_found(page: str) -> None:
    curator = browser_of("curator")
    assert curator.get(f"{SEARCH}?s=e&page={page}").status_code == 404
    assert curator.get(f"{SEARCH}?s=e&page=1").status_code == 200
