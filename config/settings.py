"""Settings, read from the environment; production unless told otherwise.

``MARELLE_ENV_FILE`` names a file of ``KEY=value`` lines read first (by default ``var/marelle.env``, which
``make demo`` writes). Nothing secret has a default: without its keys the application refuses to start.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(env.path("MARELLE_ENV_FILE", default=str(BASE_DIR / "var" / "marelle.env"))())

# -- what the installation is -------------------------------------------------------------------------------------

DEMO = env.bool("MARELLE_DEMO", default=False)  # invented data, plain HTTP on the loopback address, a visible banner
DEBUG = env.bool("DJANGO_DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
if len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("SECRET_KEY must hold at least 40 characters.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEMO else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str(  # how e-mails written by the worker name the site
    "MARELLE_SITE_URL",
    default="http://127.0.0.1:8000" if DEMO else f"https://{ALLOWED_HOSTS[0]}" if ALLOWED_HOSTS else "",
)
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
VAR_DIR = Path(env.str("MARELLE_VAR_DIR", default=str(BASE_DIR / "var")))

# The key-encryption key: "file:/path/to/key", "env:NAME_OF_THE_VARIABLE" (base64) or a PKCS#11 URI.
KEY_PROVIDER = env.str("MARELLE_KEY_PROVIDER")
# The signing key (Ed25519), never in a database: "file:/path/to/key" or "env:NAME_OF_THE_VARIABLE" (base64).
SIGNING_KEY = env.str("MARELLE_SIGNING_KEY")
# What new values are sealed with; both are always read. "aes-256-gcm-siv" needs no unique nonce, and costs more.
ENVELOPE_ALGORITHM = env.str("MARELLE_ENVELOPE_ALGORITHM", default="aes-256-gcm")

# -- the house ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "pre_cases",
    "partners",
    "referents",
    "audit",
    "audit.encryption.keystore",
    "django.contrib.admin.apps.SimpleAdminConfig",  # reference data only: referents/admin.py
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "django_permissions_policy",
    "guardian",
    "simple_history",
]

MIDDLEWARE = [
    "audit.journal.middleware.RequestTraceMiddleware",
    "audit.middleware.PrivacyHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "referents.middleware.SessionGuardMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "referents.middleware.SecondFactorMiddleware",
    "referents.middleware.StandingMiddleware",
    "axes.middleware.AxesMiddleware",
    "audit.encryption.middleware.KeyRingMiddleware",
    "audit.journal.middleware.ReadOnlyMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.navigation.navigation",
            ],
            "builtins": ["referents.templatetags.days"],
        },
    }
]
FORM_RENDERER = "referents.forms.FormRenderer"

# -- data ---------------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        "PRAGMA recursive_triggers=ON; PRAGMA secure_delete=ON; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
    ),
}


def database(variable: str, file_name: str) -> dict[str, Any]:
    """One entry of DATABASES: the URL of the environment variable, or a SQLite file of ``VAR_DIR``."""
    config: dict[str, Any] = env.db_url(variable, default=f"sqlite:///{VAR_DIR / file_name}")
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = SQLITE_OPTIONS
    else:
        config.setdefault("CONN_MAX_AGE", 60)
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASES = {
    "default": database("DATABASE_URL", "marelle.sqlite3"),
    "keys": database("KEYSTORE_URL", "keystore.sqlite3"),  # apart: a backup of one never holds the other
}
DATABASE_ROUTERS = ["audit.encryption.keystore.router.KeystoreRouter"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# -- people -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "referents.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "referents.permissions.ScopeBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "referents.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "reset_password": "referents.forms.passwords.LostPasswordForm",  # nosec B105 - a path
    "user_token": "referents.forms.passwords.LostPasswordLinkForm",  # nosec B105 - a path
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": None}  # axes counts failures, by account and address together
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# Django's: allauth's works more for an account that exists than for one that does not
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105  # nosec
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
MFA_ADAPTER = "referents.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "referents.sign_in_forms.CodeForm",
    "reauthenticate": "referents.sign_in_forms.CodeAgainForm",
    "authenticate_webauthn": "referents.sign_in_forms.KeyForm",
    "reauthenticate_webauthn": "referents.sign_in_forms.KeyAgainForm",
    "activate_totp": "referents.sign_in_forms.ActivateCodesForm",
    "add_webauthn": "referents.sign_in_forms.AddKeyForm",
}
MFA_TOTP_ISSUER = "Marelle"
MFA_TOTP_TOLERANCE = 1  # a code of the period before or after: clocks drift, and people type; none serves twice
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the administration gives the addresses
# An OpenID Connect provider may replace the password, never the second factor (docs/operations.md).
OIDC_ISSUER = env.str("MARELLE_OIDC_ISSUER", default="").rstrip("/")
OIDC_LABEL = env.str("MARELLE_OIDC_LABEL", default="ProConnect")
OIDC_EMAILS_ARE_VERIFIED = env.bool("MARELLE_OIDC_EMAILS_ARE_VERIFIED", default=False)  # its contract says so
OIDC_ID = f"oidc-{hashlib.sha256(OIDC_ISSUER.encode()).hexdigest()[:12]}"  # another issuer begins with no identity
if OIDC_ISSUER:
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    SOCIALACCOUNT_ADAPTER = "referents.openid_adapter.IdentityAccountAdapter"
    SOCIALACCOUNT_STORE_TOKENS = False
    OIDC_ACR = env.str("MARELLE_OIDC_ACR", default="")
    OIDC_APP = {
        "provider_id": OIDC_ID,
        "name": OIDC_LABEL,
        "client_id": env.str("MARELLE_OIDC_CLIENT_ID"),
        "secret": env.str("MARELLE_OIDC_CLIENT_SECRET"),
        "settings": {
            "server_url": OIDC_ISSUER,
            "oauth_pkce_enabled": True,
            "scope": ["openid", "email"],  # nothing else is needed
            "auth_params": {"acr_values": OIDC_ACR} if OIDC_ACR else {},
        },
    }
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"provider_class": "referents.openid.IdentityProvider", "APPS": [OIDC_APP]}
    }
    # Where the button of the sign-in page may lead, redirections included.
    OIDC_ORIGINS = [
        "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_ISSUER)),
        *env.list("MARELLE_OIDC_ORIGINS", default=[]),
    ]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "audit.journal.middleware.remote_address"  # behind a proxy too, that of the person
AXES_USERNAME_CALLABLE = "referents.adapter.login_fingerprint"
AXES_SENSITIVE_PARAMETERS = ["login"]  # the form that failed is kept without the address typed in it
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",  # guardian's own backend knows no dates; ScopeBackend reads its rows (ADR 0004)
]

SESSION_COOKIE_AGE = 12 * 3600
IDLE_TIMEOUT_SECONDS = 30 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
if not DEMO:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if env.bool("MARELLE_BEHIND_TLS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# -- headers ------------------------------------------------------------------------------------------------------

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb", "fullscreen")
}

# -- language, files, mail ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
USE_I18N = True  # the libraries' messages in French; ours are written in French
TIME_ZONE = "Europe/Paris"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
SEALED_FILES_DIR = VAR_DIR / "files"  # encrypted, each under its record's key
DESTROYED_KEYS_REGISTER = env.str("MARELLE_DESTROYED_KEYS", default=str(VAR_DIR / "destroyed-keys"))
JOURNAL_CHECKPOINTS = env.str("MARELLE_JOURNAL_CHECKPOINTS", default=str(VAR_DIR / "journal-checkpoints"))
JOURNAL_ORIGIN = env.str("MARELLE_JOURNAL_ORIGIN", default=f"{urlsplit(SITE_URL).netloc or 'marelle'}/journal")
FILE_UPLOAD_HANDLERS = ["audit.encryption.files.upload.SealedUploadHandler"]
FILE_UPLOAD_TEMP_DIR = None  # the system's; what lies there is sealed under a key that only the process holds
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # no form asks for more
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://" if DEMO else "smtp://localhost:25")
globals().update(**EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ne-pas-repondre@marelle.example")

# -- background work ----------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL == "filesystem://":
    BROKER_DIR = VAR_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        "control_folder": str(BROKER_DIR / "control"),
    }
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", default="celery")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# -- logs: ids only -----------------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "audit.journal.trace.RequestIdFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {request_id} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": [], "propagate": False},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
        "kombu.connection": {"level": "ERROR"},  # the filesystem broker has no host name, and says so at each start
    },
}

# -- the programme (to be confirmed by the DPO where marked) -------------------------------------------------------

PROGRAMME_ARRONDISSEMENTS = env.list("MARELLE_ARRONDISSEMENTS", cast=int, default=[10, 11, 13, 14, 17, 18, 19, 20])
REVIEW_EVERY_MONTHS = env.int("MARELLE_REVIEW_EVERY_MONTHS", default=6)
NO_REVIEW_WEEKS = env.int("MARELLE_NO_REVIEW_WEEKS", default=39)  # the coordination is told
EVALUATION_DAYS = env.int("MARELLE_EVALUATION_DAYS", default=45)
EPRE_DAYS_BEFORE = env.int("MARELLE_EPRE_DAYS_BEFORE", default=3)  # DPO; when its members read the sheets
EPRE_DAYS_AFTER = env.int("MARELLE_EPRE_DAYS_AFTER", default=7)  # DPO; until when
RATIFICATION_DAYS = env.int("MARELLE_RATIFICATION_DAYS", default=45)  # for an EPRE to ratify an urgent entry
STALE_CONTACT_DAYS = env.int("MARELLE_STALE_CONTACT_DAYS", default=30)
CHILD_SEARCHES_A_DAY = env.int("MARELLE_CHILD_SEARCHES_A_DAY", default=40)  # before recording a saisine, each person
# what the journal points out: an hour of Paris outside these, and this many situations opened in a day
USUAL_HOURS = (env.int("MARELLE_DAY_BEGINS", default=6), env.int("MARELLE_DAY_ENDS", default=22))
UNUSUAL_FILES_A_DAY = env.int("MARELLE_UNUSUAL_FILES_A_DAY", default=60)
AGREEMENT_MONTHS = env.int("MARELLE_AGREEMENT_MONTHS", default=12)  # DPO
AGREEMENT_REMINDER_DAYS = env.int("MARELLE_AGREEMENT_REMINDER_DAYS", default=60)  # before it ends, or the 18th birthday
OBJECTION_DAYS = env.int("MARELLE_OBJECTION_DAYS", default=30)  # for the coordination to settle it, or to close
# whether a family's file says that an information préoccupante was sent: the département tells the family itself
CONCERNS_IN_SUBJECT_FILE = env.bool("MARELLE_CONCERNS_IN_SUBJECT_FILE", default=False)  # DPO
RETENTION_MONTHS = env.int("MARELLE_RETENTION_MONTHS", default=24)  # DPO; after the last contact
SAISINE_RETENTION_DAYS = env.int("MARELLE_SAISINE_RETENTION_DAYS", default=90)  # DPO; and 31 August at the earliest
ERASURE_NOTICE_DAYS = env.int("MARELLE_ERASURE_NOTICE_DAYS", default=30)  # DPO; the team is told before
KEYSTORE_BACKUP_DAYS = env.int("MARELLE_KEYSTORE_BACKUP_DAYS", default=30)  # how long its backups are really kept
CHARTER_VERSION = env.str("MARELLE_CHARTER_VERSION", default="2026-1")
CHARTER_MONTHS = 12
CHARTER_REMINDER_DAYS = 30  # before a charter expires, its reminder by e-mail
INVITATION_HOURS = 72
STATISTICS_THRESHOLD = env.int("MARELLE_STATISTICS_THRESHOLD", default=5)  # DPO; a cell holding 0 < n < t is small
STATISTICS_THRESHOLDS: dict[str, int] = env.dict(  # DPO; of the tables that say more of a child, by their code
    "MARELLE_STATISTICS_THRESHOLDS",
    cast={"value": int},
    default=dict.fromkeys(("signs", "signs_heading", "saisine_signs", "saisine_signs_heading"), 11),
)
