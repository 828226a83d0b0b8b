"""All addresses."""

from django.conf import settings
from django.urls import include, path

from config import views
from partners.admin import reference

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("pre_cases.urls")),
    path("", include("partners.urls")),
    path("", include("referents.urls")),
    path("administration/donnees/", reference.urls),
    path("", include("config.sign_in_urls")),
]

if settings.DEMO:
    urlpatterns.append(path("composants/", views.gallery, name="gallery"))
