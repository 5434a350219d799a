"""Every address Paperboy answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from digest.views.missing import missing

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="signup")),
    path("", include("subscribers.urls")),
    path("", include("digest.views.urls")),
    path("admin/", admin.site.urls),
    re_path("", missing),  # the last: it takes what is left
]
