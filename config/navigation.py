"""Which pages each role is offered; what may be opened is decided by the scopes, never here."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from pre_cases.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD
from referents.models import Role
from referents.second_factor import has_used_factor

# (label, URL name, roles to whom it is offered; none: everybody). The first one offered is the person's home.
ENTRIES: list[tuple[str, str, tuple[Role, ...]]] = [
    ("Ma journée", "pre_cases:my_day", (Role.REFERENT,)),
    ("Mes parcours", "pre_cases:my_parcours", (Role.REFERENT,)),
    ("Mes équipes", "pre_cases:team_list", (Role.COORDINATOR,)),
    ("À faire", "pre_cases:my_tasks", (Role.REFERENT, Role.COORDINATOR)),
    ("Saisines", "pre_cases:saisine_list", (Role.REFERENT, Role.COORDINATOR)),
    ("EPRE", "pre_cases:session_list", (Role.REFERENT, Role.COORDINATOR)),
    ("Partagés avec moi", "pre_cases:shared_parcours", (Role.EPRE_MEMBER,)),
    ("Accès et relais", "pre_cases:my_accesses", (Role.REFERENT, Role.COORDINATOR, Role.EPRE_MEMBER)),
    ("Mes groupes", "pre_cases:my_groups", (Role.PROJECT_LEADER,)),
    ("Statistiques", "pre_cases:statistics", (Role.PILOTAGE,)),
    ("Protection des données", "pre_cases:protection", (Role.DPO,)),
    ("Accès exceptionnels", "pre_cases:exceptional_list", (Role.DPO,)),
    ("Conservation", "pre_cases:retention_list", (Role.DPO,)),
    ("Journal", "journal_list", (Role.DPO,)),
    ("Administration", "administration", (Role.ADMINISTRATOR,)),
    ("Comptes", "account_list", (Role.ADMINISTRATOR, Role.DPO)),
    ("Professionnels", "account_list", (Role.COORDINATOR,)),
    ("Projets", "partners:project_list", (Role.REFERENT, Role.COORDINATOR, Role.PILOTAGE)),
    ("Organismes", "partners:organisation_list", ()),
    ("Écoles", "partners:school_list", ()),
    ("Nomenclatures", "reference:index", (Role.PILOTAGE,)),
]


def entries_for(request: HttpRequest) -> list[dict[str, Any]]:
    standing = request.user.standing  # type: ignore[union-attr]
    if not standing.is_active or standing.needs_charter:
        return []
    offered: dict[str, str] = {}  # a page that two roles open is offered once
    for label, name, roles in ENTRIES:
        if not roles or any(standing.holds(role) for role in roles):
            offered.setdefault(name, label)
    urls = [(label, reverse(name)) for name, label in offered.items()]
    # the longest address that begins the current one is where the person is
    here = max((url for _, url in urls if request.path.startswith(url)), key=len, default="")
    return [{"label": label, "url": url, "active": url == here} for label, url in urls]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context of the base page: the menu, who is signed in, and the invented accounts of a demonstration."""
    user = getattr(request, "user", None)
    context: dict[str, Any] = {
        "demo": settings.DEMO,
        "idle_seconds": settings.IDLE_TIMEOUT_SECONDS,
        "navigation": [],
        "signed_in_name": "",
        "openid_label": settings.OIDC_LABEL if settings.OIDC_ISSUER else "",
    }
    if settings.DEMO:
        context |= {"demo_accounts": DEMO_ACCOUNTS, "demo_password": DEMO_PASSWORD}
    if user is not None and user.is_authenticated:
        waits = user.standing.is_active and not has_used_factor(request)
        context["navigation"] = [] if waits else entries_for(request)
        # a page that this session may open whatever it waits for: asking for it is being there
        kept = "second_factor" if waits else "account_security" if user.standing.is_active else "no_access"
        context["keep_alive_url"] = reverse(kept)
        context["signed_in_name"] = user.get_full_name()
    return context
