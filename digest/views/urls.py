"""Where the digest's pages are."""

from django.urls import URLPattern, path, re_path

from digest.views import (
    clicks,
    data,
    editions,
    feeds,
    front,
    mailbox,
    papers,
    preview,
    thumbnails,
    topics,
    webhooks,
)

urlpatterns: list[URLPattern] = [
    path("", front.front, name="front"),
    path("editions/", editions.edition_list, name="editions"),
    path("editions/<str:day>/", editions.edition, name="edition"),
    path("topics/", topics.topic_list, name="topics"),
    path("topics/<slug:slug>/", topics.topic, name="topic"),
    path("papers/<path:identity>/", papers.paper, name="paper"),
    path("thumbnails/<str:name>.jpg", thumbnails.thumbnail, name="thumbnail"),
    path("feeds/editions.rss", feeds.of_editions, {"form": "rss"}, name="feed_rss"),
    path("feeds/editions.atom", feeds.of_editions, {"form": "atom"}, name="feed_atom"),
    path("feeds/editions.json", feeds.of_editions, {"form": "json"}, name="feed_json"),
    path("topics/<slug:slug>/feed.rss", feeds.of_topic, {"form": "rss"}, name="topic_feed_rss"),
    path("topics/<slug:slug>/feed.atom", feeds.of_topic, {"form": "atom"}, name="topic_feed_atom"),
    path("topics/<slug:slug>/feed.json", feeds.of_topic, {"form": "json"}, name="topic_feed_json"),
    path("account/<str:token>/data", data.account_data, name="account_data"),
    path("c/<str:token>", clicks.follow, name="click"),
    # With or without its slash: a redirect would lose the POST.
    re_path(r"^webhooks/(?P<provider>[a-z_]{1,30})/tracking/?$", webhooks.tracking, name="webhook"),
    path("preview/", preview.show_preview, name="preview"),
    path("mailbox/", mailbox.mailbox_list, name="mailbox"),
    path("mailbox/<str:name>/", mailbox.mailbox_message, name="mailbox_message"),
    path("mailbox/<str:name>/html", mailbox.mailbox_html, name="mailbox_html"),
    path("mailbox/<str:name>/source", mailbox.mailbox_source, name="mailbox_source"),
]
