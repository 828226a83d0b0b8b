"""The house: a package imports what stands below it, never above; the same for foreign keys."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ["audit", "referents", "partners", "pre_cases", "config"]  # from the ground up
FORBIDDEN = {"utils", "core", "common", "helpers", "mixins", "signals", "selectors"}
MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py") if "migrations" not in path.parts)


def layer_of(module: str) -> int | None:
    package = module.split(".", maxsplit=1)[0]
    return LAYERS.index(package) if package in LAYERS else None


def imports_of(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


class TestImports:
    @pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_go_downwards_and_are_absolute(self, path: Path) -> None:
        here = LAYERS.index(path.relative_to(ROOT).parts[0])
        for node in imports_of(path):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"relative import, line {node.lineno}"
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for name in names:
                layer = layer_of(name)
                assert layer is None or layer <= here, f"{name} stands above, line {node.lineno}"

    def test_nothing_imports_the_tests(self) -> None:
        for path in MODULES:
            for node in imports_of(path):
                assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests")), path

    def test_disclosure_and_envelope_know_no_django(self) -> None:
        pure = [*(ROOT / "audit/disclosure").rglob("*.py"), ROOT / "audit/encryption/envelope.py"]
        assert len(pure) > 2
        for path in pure:
            for node in imports_of(path):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                assert not any(name.split(".")[0] in {"django", *LAYERS[1:]} for name in names), path


class TestForeignKeys:
    def test_point_downwards(self) -> None:
        for model in apps.get_models(include_auto_created=True):
            here = layer_of(model.__module__)
            if here is None:
                continue
            for relation in model._meta.get_fields():
                if not isinstance(relation, ForeignKey):
                    continue
                target = relation.remote_field.model
                if target._meta.label == settings.AUTH_USER_MODEL:
                    continue  # the one exception
                layer = layer_of(target.__module__)
                assert layer is None or layer <= here, f"{model._meta.label}.{relation.name}"


class TestHouse:
    def test_has_its_packages_and_no_other(self) -> None:
        found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
        assert found - {"tests"} == set(LAYERS)

    def test_has_no_drawer(self) -> None:
        for path in MODULES:
            assert path.stem not in FORBIDDEN
            assert not FORBIDDEN & set(path.relative_to(ROOT).parts[:-1])

    def test_modules_stay_short_enough_to_read(self) -> None:
        long = {str(p.relative_to(ROOT)): n for p in MODULES if (n := len(p.read_text().splitlines())) > 400}
        assert not long

    def test_has_no_circle_between_modules(self) -> None:
        """Imports at the top of a module, followed module by module."""
        graph = {_dotted(path): _top_imports(path) for path in MODULES}
        state: dict[str, int] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if state.get(name) == 2 or name not in graph:
                return
            assert state.get(name) != 1, " → ".join((*path, name))
            state[name] = 1
            for target in sorted(graph[name]):
                visit(target, (*path, name))
            state[name] = 2

        for name in graph:
            visit(name, ())


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _top_imports(path: Path) -> set[str]:
    """Modules of ours named by the imports at the top of a file, type-checking ones left out."""
    modules = {_dotted(p) for p in MODULES}
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            found |= parts or ({node.module} & modules)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & modules
    return found - {_dotted(path)}
