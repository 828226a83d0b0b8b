# Marelle. « make help » says what can be done here. Needs Python 3.11 or later, git and make, nothing else.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-disclosure load campaign-journal campaign-erasures campaign-walk lock env build-env

PORT ?= 8000
# The first Python of the machine that is recent enough; empty when there is none.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$python >/dev/null 2>&1 || continue; \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
COMPILE = pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url \
	--custom-compile-command "make lock" pyproject.toml

help:
	@echo "make demo [PORT=8000]  une ville inventée, servie sur http://127.0.0.1:PORT ; Ctrl-C arrête tout"
	@echo "make test              tous les tests ; dit ce qui n’a pas pu être joué"
	@echo "make check             format, types, migrations, modèles de pages, réglages de production"
	@echo "make bench             mesures de la file active, du chiffrement et de la recherche"
	@echo "make bench-disclosure  protection des chiffres : pertes, écarts et durées, à côté des règles des manuels"
	@echo "make load              cinquante personnes au travail pendant trois rotations de clé"
	@echo "make campaign-journal  le journal attaqué 200 fois de chaque façon, 10 000 vérifications saines, 100 « kill -9 »"
	@echo "make campaign-erasures cent enfants effacés parmi quatorze cents : ni reste, ni autre changement"
	@echo "make campaign-walk     dix mille pas au hasard à travers les services : les règles du domaine tiennent"
	@echo "make lock              recalcule requirements.txt et requirements-dev.txt d’après pyproject.toml"

demo: env
	@.venv/bin/python -m config.management.installation
	@exec .venv/bin/python manage.py demo --port "$(PORT)"

test: env
	@exec .venv/bin/python tests/suite.py

check: env
	@exec .venv/bin/python tests/quality.py

bench: env
	@exec .venv/bin/python tests/bench.py

bench-disclosure: env
	@exec .venv/bin/python -m tests.bench_disclosure $(PARTS)

load: env
	@exec .venv/bin/python tests/load.py

campaign-journal: env
	@exec .venv/bin/python tests/campaign_journal.py

campaign-erasures: env
	@exec .venv/bin/python tests/campaign_erasures.py

campaign-walk: env
	@exec env MARELLE_WALK_STEPS=$${MARELLE_WALK_STEPS:-10000} .venv/bin/python -m pytest -q -s -k ten_thousand tests/pre_cases/test_walk.py

# Versions already locked stay; delete the two files first to raise them all.
lock:
	@uv=$$(command -v uv || echo .venv/bin/uv); test -x "$$uv" || { \
		echo "make lock demande uv : https://docs.astral.sh/uv/" >&2; exit 1; }; \
	"$$uv" $(COMPILE) -o requirements.txt && \
	"$$uv" $(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt

# The environment is complete when .venv/installed.txt is the lock itself: it is written last.
env:
	@cmp -s requirements-dev.txt .venv/installed.txt && .venv/bin/python -c pass 2>/dev/null \
		|| $(MAKE) --no-print-directory build-env

build-env:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Marelle demande Python 3.11 ou plus récent : installez-le, ou dites où il est (make PYTHON=…)." >&2; \
		exit 1; }
	@echo "Installation des dépendances verrouillées dans .venv…"
	@rm -rf .venv
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --python "$$("$(PYTHON)" -c 'import sys; print(sys.executable)')" .venv && \
		uv pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.txt; \
	else \
		"$(PYTHON)" -m venv .venv && \
		PIP_USER=0 .venv/bin/python -m pip install --quiet --disable-pip-version-check \
			--no-input --require-hashes -r requirements-dev.txt; \
	fi
	@cp requirements-dev.txt .venv/installed.txt
