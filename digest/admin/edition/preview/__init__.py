"""The mail of an edition as anybody would get it, in every view; and what changes for whom."""

from django.urls import URLPattern, path

from digest.admin.edition.preview import pages, reach, trying

urls: list[URLPattern] = [
    path("<int:pk>/preview/", pages.page, name="edition_preview"),
    path("<int:pk>/preview/ask/", pages.ask, name="edition_preview_ask"),
    path("<int:pk>/preview/mail/", pages.mail, name="edition_preview_mail"),
    path("<int:pk>/preview/reach/", reach.page, name="edition_preview_reach"),
    path("<int:pk>/preview/test/", trying.test, name="edition_preview_test"),
    path("<int:pk>/preview/my-address/", trying.my_address, name="edition_preview_my_address"),
]
