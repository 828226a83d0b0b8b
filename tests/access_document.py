"""Write ``docs/access-matrix.md`` again, from the policy that the tests play: ``python -m tests.access_document``."""

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.test_access_matrix import DOCUMENT, as_document

    DOCUMENT.write_text(as_document())


if __name__ == "__main__":
    main()
