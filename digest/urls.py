"""Every address Paperboy answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("subscribers.urls")),
    path("", include("digest.views.urls")),
    path("admin/", admin.site.urls),
]
