"""Every address Paperboy answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from digest.views.missing import missing

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("subscribers.urls")),
    path("", include("digest.views.urls")),
    path("admin/", admin.site.urls),
    re_path("", missing),  # the last: it takes what is left
]
