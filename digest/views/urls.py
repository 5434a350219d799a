"""Where the digest's pages are."""

from django.urls import URLPattern, path

from digest.views import editions, mailbox, thumbnails

urlpatterns: list[URLPattern] = [
    path("editions/", editions.edition_list, name="editions"),
    path("editions/<str:day>/", editions.edition, name="edition"),
    path("thumbnails/<str:name>.jpg", thumbnails.thumbnail, name="thumbnail"),
    path("mailbox/", mailbox.mailbox_list, name="mailbox"),
    path("mailbox/<str:name>/", mailbox.mailbox_message, name="mailbox_message"),
    path("mailbox/<str:name>/html", mailbox.mailbox_html, name="mailbox_html"),
    path("mailbox/<str:name>/source", mailbox.mailbox_source, name="mailbox_source"),
]
