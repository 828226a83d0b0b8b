"""What « make check » looks at besides the tests: format, types, migrations, pages, settings, lock."""

import base64
import os
import re
import secrets
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["audit", "config", "partners", "pre_cases", "referents"]
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "templates").rglob("*.html"))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        environment = production(Path(folder))
        failed = [name for name, command in commands() if not passes(name, command, environment)]
    for name, faults in (("lock", lock_faults()), ("installed", installation_faults())):
        print(f"{name:<12} {'ok' if not faults else 'FAILED'}")
        if faults:
            print("\n".join(faults))
            failed.append(name)
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return int(bool(failed))


def commands() -> Iterator[tuple[str, list[str]]]:
    python, manage = [sys.executable], [sys.executable, "manage.py"]
    yield "format", [*python, "-m", "ruff", "format", "--check", "--quiet", "."]
    yield "lint", [*python, "-m", "ruff", "check", "--quiet", "."]
    yield "types", [*python, "-m", "mypy", *PACKAGES, "manage.py"]
    yield "migrations", [*manage, "makemigrations", "--check", "--dry-run"]
    yield "pages", [str(Path(sys.executable).parent / "djade"), "--target-version", "5.2", "--check", *TEMPLATES]
    yield "compile", [*python, "tests/quality.py", "compile"]
    yield "deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"]
    yield "security", [*python, "-m", "bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *PACKAGES]


def passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    """Run one command; its output is shown only when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(f"{name:<12} {'FAILED' if done.returncode else 'ok'}", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


def production(folder: Path) -> dict[str, str]:
    """Production settings with throw-away keys, databases and folders."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "KEYSTORE_URL")}
    return inherited | {
        "MARELLE_ENV_FILE": os.devnull,
        "MARELLE_VAR_DIR": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(60),
        "MARELLE_KEY_PROVIDER": "env:MARELLE_CHECK_KEY",
        "MARELLE_SIGNING_KEY": "env:MARELLE_CHECK_KEY",
        "MARELLE_CHECK_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ALLOWED_HOSTS": "marelle.example",
        "PYTHONPATH": str(ROOT),
    }


def compile_templates() -> int:
    """Parse every page, e-mail and component, as Django does when it shows one."""
    import django
    from django.template import TemplateSyntaxError, engines

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    faults = []
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in (".html", ".txt", ".svg"):
            continue
        name = str(path.relative_to(ROOT / "templates"))
        try:
            engines["django"].get_template(name)
        except TemplateSyntaxError as error:
            faults.append(f"{name}: {error}")
    print("\n".join(faults))
    return int(bool(faults))


def pins(name: str) -> dict[str, tuple[Requirement, str]]:
    """The locked requirements of a file by canonical name, each with its block of hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    blocks = [line for line in text.splitlines() if line and not line.startswith("#")]
    locked = {}
    for block in blocks:
        requirement = Requirement(block.split("--hash")[0].strip())
        locked[canonicalize_name(requirement.name)] = (requirement, block)
    return locked


def lock_faults() -> list[str]:
    """How the two locked files and pyproject.toml disagree, read without a network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, everything = pins("requirements.txt"), pins("requirements-dev.txt")
    faults = []
    wanted = [
        ("requirements.txt", runtime, project["project"]["dependencies"]),
        ("requirements-dev.txt", everything, project["dependency-groups"]["dev"]),
    ]
    for file, locked, lines in wanted:
        for requirement in map(Requirement, lines):
            pin = locked.get(canonicalize_name(requirement.name))
            if pin is None or not requirement.specifier.contains(version_of(pin[0]), prereleases=True):
                faults.append(f"{file} does not satisfy « {requirement} »: run « make lock »")
    faults += [
        f"requirements-dev.txt differs from requirements.txt for {name}: run « make lock »"
        for name, (_, block) in runtime.items()
        if name not in everything or everything[name][1] != block
    ]
    for file, locked in (("requirements.txt", runtime), ("requirements-dev.txt", everything)):
        faults += [
            f"{file}: {name} has no hash" for name, (_, block) in locked.items() if "--hash=sha256:" not in block
        ]
        if re.search(r"https?://|index-url", (ROOT / file).read_text(encoding="utf-8")):
            faults.append(f"{file} names a package index: it must install from any")
    return faults


def version_of(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


def installation_faults() -> list[str]:
    """Locked packages that this environment lacks, or holds at another version."""
    from importlib.metadata import PackageNotFoundError, version

    faults = []
    for name, (pin, _) in pins("requirements-dev.txt").items():
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "nothing"
        if installed != version_of(pin):
            faults.append(f"{name} is locked at {version_of(pin)}, {installed} is installed")
    return faults


if __name__ == "__main__":
    sys.exit(compile_templates() if sys.argv[1:] == ["compile"] else main())
