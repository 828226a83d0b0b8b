"""Addresses of schools, organisations and projects."""

from django.urls import path

from partners.views import organisations, projects, schools

app_name = "partners"

urlpatterns = [
    path("ecoles/", schools.school_list, name="school_list"),
    path("ecoles/<str:uai>/", schools.school_detail, name="school_detail"),
    path("organismes/", organisations.organisation_list, name="organisation_list"),
    path("organismes/nouveau/", organisations.organisation_create, name="organisation_create"),
    path("organismes/<int:pk>/", organisations.organisation_detail, name="organisation_detail"),
    path("organismes/<int:pk>/modifier/", organisations.organisation_change, name="organisation_change"),
    path("projets/", projects.project_list, name="project_list"),
    path("projets/nouveau/", projects.project_create, name="project_create"),
    path("projets/<int:pk>/", projects.project_detail, name="project_detail"),
]
