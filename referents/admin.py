"""Django's administration, for reference data and nothing else: no account, no case, no deletion.

The pages stand behind the same middlewares as every other (sign-in, charter, reading without writing), and answer 404
to whom they do not concern. ``partners.admin`` adds the lists of words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from referents.models import Arrondissement, Team
from referents.services.reference import save_reference
from referents.views.reach import require

View = Callable[..., HttpResponse]


class ReferenceSite(admin.AdminSite):
    """Mounted without sign-in, password or catch-all pages: those of Marelle serve."""

    site_title = "Marelle"
    site_header = "Données de référence"
    index_title = "Données de référence"
    index_template = "reference/index.html"
    enable_nav_sidebar = False
    final_catch_all_view = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether at least one kind of data concerns the person."""
        return any(options.has_module_permission(request) for options in self._registry.values())

    def guarded(self, view: View) -> View:
        """The view for whom it concerns; for the others, what does not exist."""

        def inner(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            require(request, self.has_permission(request), kind="admin.reference")
            return view(request, *args, **kwargs)

        return update_wrapper(inner, view)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        labels = dict.fromkeys(model._meta.app_label for model in self._registry)
        return [
            path("", self.guarded(self.index), name="index"),
            path("jsi18n/", self.guarded(self.i18n_javascript), name="jsi18n"),
            *(
                path(f"{model._meta.app_label}/{model._meta.model_name}/", include(options.urls))
                for model, options in self._registry.items()
            ),
            re_path(rf"^(?P<app_label>{'|'.join(labels)})/$", self.guarded(self.app_index), name="app_list"),
        ]


reference = ReferenceSite(name="reference")


class ReferenceAdmin(admin.ModelAdmin):
    """Listed and changed within the scopes of the model; saved by a service, which signs and journals."""

    actions = None
    show_full_result_count = False
    change_form_template = "reference/change_form.html"
    change_list_template = "reference/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.guarded(self.changelist_view), name=f"{name}_changelist"),
            path("add/", self.guarded(self.add_view), name=f"{name}_add"),
            path("<path:object_id>/change/", self.guarded(self.change_view), name=f"{name}_change"),
        ]

    def guarded(self, view: View) -> View:
        kind = self.opts.label_lower

        def inner(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            require(request, self.has_module_permission(request), kind=kind)
            if view == self.add_view:
                require(request, self.has_add_permission(request), kind=kind, asked="create")
            elif request.method == "POST":
                require(request, self.has_change_permission(request), kind=kind, asked="change")
            return view(request, *args, **kwargs)

        return update_wrapper(inner, view)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Columns of the record itself only: a look through a relation would answer questions about cases."""
        first, *rest = lookup.split("__")
        own = next((field for field in self.opts.concrete_fields if first in (field.name, field.attname)), None)
        if own is None:
            return False
        key = {own.related_model._meta.pk.name} if own.related_model else set()
        return set(rest) <= {"exact", "isnull"} | key

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = self._rows().controlled_by(request.user)
        return rows.order_by(*self.get_ordering(request)) if self.get_ordering(request) else rows

    def has_module_permission(self, request: Any) -> bool:
        return not self._rows().controlled_by(request.user).query.is_empty()  # the scope, without asking the database

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: Any) -> bool:
        return bool(self._rows().may_be_added_by(request.user))

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return not self._rows().editable_by(request.user).query.is_empty()

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """What past years are counted by is never deleted."""
        return False

    def changelist_view(self, request: Any, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def changeform_view(
        self,
        request: Any,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        title = f"{self.opts.verbose_name} : {'modifier' if object_id else 'ajouter'}".capitalize()
        return super().changeform_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Plain lists of choices: each kind of data has its own page, without pop-up windows."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def save_model(self, request: Any, obj: Any, form: ModelForm, change: bool) -> None:
        save_reference(record=obj, fields=form.changed_data, by=request.user)

    def message_user(self, request: Any, *details: Any, **options: Any) -> None:
        """Django's sentences would show how a record names itself in the logs."""
        messages.success(request, "C’est enregistré.")

    def log_addition(self, request: Any, obj: Any, message: Any) -> Any:
        """The journal keeps it, not the table of django.contrib.admin."""

    def log_change(self, request: Any, obj: Any, message: Any) -> Any:
        """The journal keeps it, not the table of django.contrib.admin."""

    def _get_obj_does_not_exist_redirect(self, request: Any, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def _rows(self) -> Any:
        return self.model._default_manager.all()


@admin.register(Arrondissement, site=reference)
class ArrondissementAdmin(ReferenceAdmin):
    list_display = ["number", "name"]
    fields = ["number", "name"]

    def get_readonly_fields(self, request: Any, obj: Arrondissement | None = None) -> list[str]:
        return ["number"] if obj else []


@admin.register(Team, site=reference)
class TeamAdmin(ReferenceAdmin):
    list_display = ["name", "code", "arrondissement_label"]
    list_select_related = ["arrondissement"]
    fields = ["code", "name", "arrondissement"]

    @admin.display(description="arrondissement", ordering="arrondissement")
    def arrondissement_label(self, team: Team) -> str:
        return team.arrondissement.label

    def get_readonly_fields(self, request: Any, obj: Team | None = None) -> list[str]:
        """The code stands in addresses, the arrondissement in the figures of past years."""
        return ["code", "arrondissement_label"] if obj else []

    def get_fields(self, request: Any, obj: Team | None = None) -> Any:
        return ["code", "name", "arrondissement_label" if obj else "arrondissement"]
