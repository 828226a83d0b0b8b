"""What must hold everywhere: words on every field, history and retention on every personal record, services signed."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.models import CheckConstraint, UniqueConstraint
from django.template.loader import get_template

from audit.encryption.fields import EncryptedField
from audit.retention import Retention

ROOT = Path(__file__).resolve().parent.parent
OUR_APPS = ["audit", "referents", "partners", "pre_cases"]
OURS = [model for label in OUR_APPS for model in apps.get_app_config(label).get_models()]
HISTORICAL = [model for model in OURS if hasattr(model, "instance_type")]
TRACKED = [model for model in OURS if model not in HISTORICAL]
PERSONAL = [model for model in TRACKED if any(f.name == "data_key_id" for f in model._meta.get_fields())]
WITHOUT_HISTORY = {
    "pre_cases.Draft",  # typed and not sent: it lives until it is sent or discarded
    "pre_cases.EntryTemplate",  # a person's own shorthand, about nobody
    "pre_cases.ChildTag",  # derived from the child's names, whose history is kept
}
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SILENT_WRITES = {"bulk_create", "bulk_update", "update"}
# recomputed from facts, and so outside the history
ALLOWED_SILENT_WRITES = {("pre_cases/services/dates.py", "Parcours")}
# many transactions, each short: the chunks of an import, the parcours of a round, a file written before its row, a key
# before its rows
NOT_ONE_TRANSACTION = {
    "pre_cases.services.reminders.remind_team",
    "pre_cases.services.document.add_document",
    "pre_cases.services.erasure.erase_child",
    "pre_cases.services.erasure.replay_tombstones",
    "pre_cases.services.release.release_year",
    "pre_cases.services.search_index.rotate_index",
    "partners.services.schools.import_directory",
    "partners.services.schools.apply_or_refuse",
}


def has_path_to_child(model: type[models.Model]) -> bool:
    seen, queue = set(), [model]
    while queue:
        current = queue.pop()
        if current._meta.label == "pre_cases.Child":
            return True
        seen.add(current)
        queue += [
            f.remote_field.model
            for f in current._meta.get_fields()
            if isinstance(f, models.ForeignKey) and f.remote_field.model not in seen
        ]
    return False


class TestModels:
    @pytest.mark.parametrize("model", TRACKED, ids=lambda m: m._meta.label)
    def test_have_french_names(self, model: type[models.Model]) -> None:
        default = re.sub(r"(?<!^)([A-Z])", r" \1", model.__name__).lower()
        names_allowed_alike = {"parcours", "action", "saisine", "bilan", "arrondissement", "document", "invitation"}
        assert str(model._meta.verbose_name) != default or default in names_allowed_alike

    @pytest.mark.parametrize("model", TRACKED, ids=lambda m: m._meta.label)
    def test_say_why_a_constraint_refuses(self, model: type[models.Model]) -> None:
        for constraint in model._meta.constraints:
            if isinstance(constraint, CheckConstraint | UniqueConstraint):
                message = str(constraint.violation_error_message)
                assert message != str(constraint.default_violation_error_message), constraint.name

    @pytest.mark.parametrize("model", TRACKED, ids=lambda m: m._meta.label)
    def test_are_written_as_ids(self, model: type[models.Model]) -> None:
        """``str()`` of a record about a person never reads an encrypted or a naming field."""
        if not (has_path_to_child(model) or model._meta.label.startswith("referents.")):
            return
        source = inspect.getsource(model.__str__)
        assert not re.search(r"self\.(?!pk|number|code)[a-z_]+", source), source


class TestPersonalModels:
    def test_are_found(self) -> None:
        assert len(PERSONAL) > 10

    @pytest.mark.parametrize("model", TRACKED, ids=lambda m: m._meta.label)
    def test_state_history_and_retention(self, model: type[models.Model]) -> None:
        if not has_path_to_child(model) and model not in PERSONAL:
            return
        assert isinstance(getattr(model, "retention", None), Retention), "retention is not stated"
        if model._meta.label not in WITHOUT_HISTORY:
            assert hasattr(model, "history"), "no history"

    @pytest.mark.parametrize("model", PERSONAL, ids=lambda m: m._meta.label)
    def test_encrypt_their_free_text(self, model: type[models.Model]) -> None:
        clear = {"number", "qpv_code", "qpv_generation", "form_version", "form"}
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedField) or field.choices or field.name in clear:
                continue
            assert not isinstance(field, models.CharField | models.TextField), field.name

    def test_have_unique_names_in_the_seal(self) -> None:
        aads = [f.aad for model in TRACKED for f in model._meta.get_fields() if isinstance(f, EncryptedField)]
        assert len(aads) > 25
        assert len(aads) == len(set(aads))


def modules_of(package: str) -> list[str]:
    found = importlib.import_module(package)
    return [m.name for m in pkgutil.walk_packages(found.__path__, f"{package}.") if not m.ispkg]


class TestServices:
    @pytest.mark.parametrize("package", ["referents.services", "partners.services", "pre_cases.services"])
    def test_with_an_author_are_signed_and_traced(self, package: str) -> None:
        services = 0
        for name in modules_of(package):
            module = importlib.import_module(name)
            for function in vars(module).values():
                if not inspect.isfunction(function) or function.__module__ != name:
                    continue
                if "by" in inspect.signature(function).parameters:
                    services += 1
                    if f"{name}.{function.__name__}" in NOT_ONE_TRANSACTION:
                        continue
                    assert getattr(function, "is_service", False), f"{name}.{function.__name__} is not a service"
        assert services

    def test_are_the_only_code_that_saves(self) -> None:
        """Views, forms, templates and tasks write nothing themselves."""
        for app in OUR_APPS[1:]:
            for path in [*(ROOT / app / "views").rglob("*.py"), *(ROOT / app / "forms").rglob("*.py")]:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Attribute) and node.attr in {"save", "create", "bulk_create", "delete"}:
                        pytest.fail(f"{path.relative_to(ROOT)}:{node.lineno} writes")

    def test_never_write_tracked_rows_in_silence(self) -> None:
        tracked = {model.__name__ for model in TRACKED if hasattr(model, "history")}
        assert "Child" in tracked
        for path in [p for app in OUR_APPS for p in (ROOT / app).rglob("*.py") if "migrations" not in p.parts]:
            relative = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                model = ast.unparse(node.func.value).partition(".objects")[0]
                if node.func.attr in SILENT_WRITES and model in tracked:
                    allowed = (relative, model) in ALLOWED_SILENT_WRITES
                    assert allowed, f"{relative}:{node.lineno} {model}.{node.func.attr} leaves no history"


class TestTemplates:
    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
    def test_compile(self, path: Path) -> None:
        get_template(str(path.relative_to(ROOT / "templates")))

    def test_are_all_used(self) -> None:
        sources = "".join(
            path.read_text()
            for pattern in ("**/*.py", "templates/**/*.html")
            for path in ROOT.glob(pattern)
            if ".venv" not in path.parts and "var" not in path.parts
        )
        by_django = {
            "403.html",
            "403_csrf.html",
            "404.html",
            "429.html",
            "500.html",
            "503.html",
            "admin/base_site.html",
        }
        for path in TEMPLATES:
            name = str(path.relative_to(ROOT / "templates"))
            if name in by_django or name.startswith(("account/", "mfa/")):  # django-allauth finds them by name
                continue
            assert name in sources, f"{name} is never used"

    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
    def test_obey_the_content_security_policy(self, path: Path) -> None:
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|<script(?![^>]*\bsrc=)", text)

    def test_components_are_closed(self) -> None:
        """A component gets what it names and nothing else."""
        for path in TEMPLATES:
            for include in re.findall(r"{%\s*include\s+\"components/[^%]*%}", path.read_text()):
                assert " only " in include, f"{path.name}: {include}"

    @pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
    def test_give_every_table_a_caption(self, path: Path) -> None:
        text = path.read_text()
        assert text.count("<table") == text.count("<caption")


class TestTexts:
    def test_screens_never_say_what_families_are_not(self) -> None:
        banned = re.compile(r"\b(bénéficiaires?|dossiers?|usagers?|signalements?|primo)\b", re.IGNORECASE)
        for path in TEMPLATES:
            text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text())
            assert not banned.search(text), f"{path.name}: {banned.search(text)}"
