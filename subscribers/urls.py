"""The door's addresses. Those with a token end without a slash: a redirect would lose the POST."""

from django.urls import URLPattern, path

from subscribers import views

urlpatterns: list[URLPattern] = [
    path("subscribe/", views.signup, name="signup"),
    path("subscribe/sent/", views.signup_sent, name="signup_sent"),
    path("confirm/<str:token>", views.confirm, name="confirm"),
    path("preferences/<str:token>", views.preferences, name="preferences"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
]
