"""What the demonstration needs before Django can read its settings: private folders, keys, and the file of settings.

Run as ``python -m config.management.installation``; a second run finds everything there and changes nothing.
"""

import os
import secrets
import sys
from pathlib import Path

from audit.encryption.providers import create_key_file
from audit.signing import create_signing_key_file

BASE_DIR = Path(__file__).resolve().parent.parent.parent


class NotADemonstration(Exception):
    """The settings found here belong to another installation; the message says what to do."""


def env_file() -> Path:
    """The file that the settings read first, unless the environment names another one."""
    return Path(os.environ.get("MARELLE_ENV_FILE") or BASE_DIR / "var" / "marelle.env")


def var_dir() -> Path:
    return Path(os.environ.get("MARELLE_VAR_DIR") or BASE_DIR / "var").resolve()


def private_folder(path: Path) -> Path:
    """A folder that only its owner can open."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def install() -> Path:
    """Make what is missing and give the file of settings; raises NotADemonstration rather than touch real ones."""
    var = private_folder(var_dir())
    for name in ("keys", "broker", "broker/control", "files", "static"):
        private_folder(var / name)
    key_file = var / "keys" / "key-encryption-key"
    settings_file = env_file()
    if settings_file.exists():
        check_demonstration(settings_file, key_file)
    else:
        if not key_file.exists():
            create_key_file(key_file)
        write_settings(settings_file, key_file)
    give_signing_key(settings_file, var / "keys" / "signing-key")
    return settings_file


def give_signing_key(settings_file: Path, key_file: Path) -> None:
    """Also to a demonstration made before there was one; a key once named is never made again."""
    content = settings_file.read_text(encoding="utf-8")
    if any(line.startswith("MARELLE_SIGNING_KEY=") for line in content.splitlines()):
        return
    if not key_file.exists():
        create_signing_key_file(key_file)
    write_aside(settings_file, f"{content}MARELLE_SIGNING_KEY=file:{key_file}\n")


def check_demonstration(settings_file: Path, key_file: Path) -> None:
    lines = settings_file.read_text(encoding="utf-8").splitlines()
    if "MARELLE_DEMO=1" not in lines:
        raise NotADemonstration(
            f"{settings_file} règle une installation réelle : la démonstration n’y touche pas. "
            "Lancez-la dans un autre dossier."
        )
    if f"MARELLE_KEY_PROVIDER=file:{key_file}" in lines and not key_file.exists():
        raise NotADemonstration(
            f"La clé {key_file} a disparu : les données de cette démonstration ne se lisent plus. "
            f"Supprimez le dossier {key_file.parent.parent} pour en refaire une."
        )


def write_settings(settings_file: Path, key_file: Path) -> None:
    content = (
        "# Réglages de la démonstration, créés une fois par « make demo ».\n"
        "MARELLE_DEMO=1\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"MARELLE_KEY_PROVIDER=file:{key_file}\n"
    )
    write_aside(settings_file, content)


def write_aside(settings_file: Path, content: str) -> None:
    """Written aside, then moved: a killed installation leaves no half file."""
    aside = settings_file.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    aside.replace(settings_file)


if __name__ == "__main__":
    try:
        install()
    except NotADemonstration as refusal:
        sys.exit(str(refusal))
