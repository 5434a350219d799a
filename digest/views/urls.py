"""Where the digest's pages are."""

from django.urls import URLPattern, path

from digest.views import editions, front, mailbox, papers, preview, thumbnails, topics

urlpatterns: list[URLPattern] = [
    path("", front.front, name="front"),
    path("editions/", editions.edition_list, name="editions"),
    path("editions/<str:day>/", editions.edition, name="edition"),
    path("topics/", topics.topic_list, name="topics"),
    path("topics/<slug:slug>/", topics.topic, name="topic"),
    path("papers/<path:identity>/", papers.paper, name="paper"),
    path("thumbnails/<str:name>.jpg", thumbnails.thumbnail, name="thumbnail"),
    path("preview/", preview.show_preview, name="preview"),
    path("mailbox/", mailbox.mailbox_list, name="mailbox"),
    path("mailbox/<str:name>/", mailbox.mailbox_message, name="mailbox_message"),
    path("mailbox/<str:name>/html", mailbox.mailbox_html, name="mailbox_html"),
    path("mailbox/<str:name>/source", mailbox.mailbox_source, name="mailbox_source"),
]
