"""One settings file; everything that differs between installations comes from the environment.

`COUNTERFOIL_MODE` is `development` (the default: embedded, development keys, loopback only) or `production`.
In production an unsafe or missing setting is refused with a sentence (see `refuse_unsafe`).
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from counterfoil.config import anchors

PACKAGE = Path(__file__).resolve().parent.parent


class UnsafeSettings(SystemExit):
    """Raised at start when production settings are missing or unsafe; its text tells what to set."""


def database(url: str, home: Path) -> dict[str, object]:
    """Return a Django database setting for `url`, or for the embedded SQLite file when it is empty."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(home / "db.sqlite3"),
            # Measured: without these, three writers meet "database is locked" by the thousand.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
            },
            "TEST": {"NAME": str(home / "test.sqlite3")},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise UnsafeSettings(
            "COUNTERFOIL_DATABASE_URL must start with postgresql:// "
            "(leave it out to use the embedded SQLite database)."
        )
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # What the address asks for (sslmode, sslrootcert, …) is passed on: silence about it would be a false safety.
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": 16, "timeout": 20},
            **{k: v for k, v in query.items() if k != "host"},
        },
    }


def refuse_unsafe(env: dict[str, str]) -> None:
    """Stop with one sentence when a production environment is missing something or unsafe."""
    wants = {
        "COUNTERFOIL_SECRET_KEY": "a secret of at least 50 random characters",
        "COUNTERFOIL_HOSTS": "the host names served, separated by commas",
        "COUNTERFOIL_HOME": "the folder for vault, log and keys",
        "COUNTERFOIL_NAME": "the log's own name, for example example.police.uk, which no other installation uses",
        "COUNTERFOIL_ORIGIN": "the public https address, for example https://report.example",
        "COUNTERFOIL_DATABASE_URL": "postgresql://… (SQLite serves one embedded machine, not production)",
        "COUNTERFOIL_ANCHORS": "a file that names witnesses and timestamp authorities (see docs/adopt/anchors.md)",
        "COUNTERFOIL_SMTP_HOST": "the mail server: without one a message would be called sent and go nowhere",
        "COUNTERFOIL_MAIL_FROM": "the neutral address that messages come from",
    }
    for name, meaning in wants.items():
        if not env.get(name):
            raise UnsafeSettings(f"Production needs {name}: {meaning}.")
    if len(env["COUNTERFOIL_SECRET_KEY"]) < 50 or len(set(env["COUNTERFOIL_SECRET_KEY"])) < 10:
        raise UnsafeSettings("COUNTERFOIL_SECRET_KEY is too weak: give at least 50 random characters.")
    if "*" in env["COUNTERFOIL_HOSTS"]:
        raise UnsafeSettings("COUNTERFOIL_HOSTS may not contain '*': name each host.")
    if not env["COUNTERFOIL_ORIGIN"].startswith("https://"):
        raise UnsafeSettings("COUNTERFOIL_ORIGIN must start with https:// in production.")
    if env.get("COUNTERFOIL_DEBUG"):
        raise UnsafeSettings("COUNTERFOIL_DEBUG may not be set in production.")
    if env.get("COUNTERFOIL_WEAK_SANDBOX"):
        raise UnsafeSettings(
            "COUNTERFOIL_WEAK_SANDBOX may not be set in production: it opens files without walls."
        )


def read_anchors(path: str, home: Path, *, production: bool) -> anchors.Anchors:
    """Return who vouches for the log, from the operator's file; stop with one sentence when it cannot be used."""
    if not path:
        return anchors.development(home)
    try:
        found = anchors.read(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnsafeSettings(f"COUNTERFOIL_ANCHORS cannot be used: {error}.") from None
    if production and not found.timestamper:
        raise UnsafeSettings(
            "COUNTERFOIL_ANCHORS names no timestamp authority; production needs one, better two."
        )
    return found


MODE = os.environ.get("COUNTERFOIL_MODE", "development")
if MODE not in ("development", "production"):
    raise UnsafeSettings(f"COUNTERFOIL_MODE must be development or production, not {MODE!r}.")
PRODUCTION = MODE == "production"
if PRODUCTION:
    refuse_unsafe(dict(os.environ))

COUNTERFOIL_HOME = Path(os.environ.get("COUNTERFOIL_HOME") or Path.home() / ".counterfoil").absolute()
COUNTERFOIL_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
if PRODUCTION and COUNTERFOIL_HOME.stat().st_mode & 0o007:
    raise UnsafeSettings(f"Others on this machine can enter {COUNTERFOIL_HOME}. Run: chmod o-rwx on it.")
COUNTERFOIL_NAME = os.environ.get("COUNTERFOIL_NAME", "counterfoil.example")
if not re.fullmatch(r"[a-z0-9][a-z0-9.\-]*(/[a-z0-9.\-]+)*", COUNTERFOIL_NAME):
    raise UnsafeSettings(
        "COUNTERFOIL_NAME is the log's name: small letters, digits, dots and dashes, like example.police.uk."
    )
DEBUG = bool(os.environ.get("COUNTERFOIL_DEBUG")) and not PRODUCTION
SECRET_KEY = os.environ.get("COUNTERFOIL_SECRET_KEY") or "development-only-" + "0123456789abcdef" * 4
ALLOWED_HOSTS = (
    [h.strip() for h in os.environ["COUNTERFOIL_HOSTS"].split(",") if h.strip()]
    if PRODUCTION
    else ["127.0.0.1", "localhost", "[::1]", "testserver"]
)
ORIGIN = os.environ.get("COUNTERFOIL_ORIGIN", "")
CSRF_TRUSTED_ORIGINS = [ORIGIN] if ORIGIN else []

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_tasks",
    "django_tasks_db",
    "csp",
    "counterfoil.accounts",
    "counterfoil.ledger",
    "counterfoil.places",
    "counterfoil.reports",
    "counterfoil.people",
    "counterfoil.cases",
    "counterfoil.notices",
    "counterfoil.duties",
    "counterfoil.evidence",
    "counterfoil.courts",
    "counterfoil.outcomes",
    "counterfoil.measures",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "counterfoil.config.encoding.as_utf8",
    "counterfoil.faces.kit.middleware.plain_refusals",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "counterfoil.faces.kit.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "counterfoil.faces.kit.signin.guard.staff_session",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "counterfoil.config.urls"
WSGI_APPLICATION = "counterfoil.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / "faces" / f / "templates" for f in ("kit", "portal", "desk", "bench", "board")],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "counterfoil.faces.kit.jinja.environment"},
    },
]

DATABASES = {"default": database(os.environ.get("COUNTERFOIL_DATABASE_URL", ""), COUNTERFOIL_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Actor"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/staff/sign-in"
OTP_TOTP_ISSUER = "Online service"

SECURE_COOKIES = PRODUCTION
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-s" if SECURE_COOKIES else "s"
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 3600
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "counterfoil.faces.kit.views.csrf_failure"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("COUNTERFOIL_BEHIND_PROXY") else None
)
# "no-referrer" makes browsers send "Origin: null" with forms, which the CSRF check refuses. Other sites get nothing.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = str(COUNTERFOIL_HOME / "incoming")
(COUNTERFOIL_HOME / "incoming").mkdir(exist_ok=True, mode=0o700)

# Files of the public and of officers: the most bytes of one, the most of one report, and what stays free on the disk
# so that reports in words are always accepted. An unfinished upload is thrown away when untouched for this long.
GIGABYTE = 1_000_000_000
FILE_LIMIT = int(os.environ.get("COUNTERFOIL_FILE_GB", "100")) * GIGABYTE
DRAFT_LIMIT = int(os.environ.get("COUNTERFOIL_REPORT_GB", "200")) * GIGABYTE
KEEP_FREE = int(os.environ.get("COUNTERFOIL_FREE_GB", "5")) * GIGABYTE
UPLOAD_LIFE = timedelta(days=int(os.environ.get("COUNTERFOIL_UPLOAD_DAYS", "7")))

# The page template's one inline script is allowed by its hash (faces/kit computes and tests it).
INLINE_SCRIPT_HASH = "'sha256-GUQ5ad8JK5KmEWmROf3LZd9ge94daqNvd8xy9YS1iDw='"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, INLINE_SCRIPT_HASH],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("cy", "Cymraeg")]
USE_I18N = False
USE_TZ = True
TIME_ZONE = "Europe/London"

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "faces" / "kit" / "static", PACKAGE / "faces" / "board" / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STATIC_ROOT = COUNTERFOIL_HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True, mode=0o700)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("COUNTERFOIL_SMTP_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = os.environ.get("COUNTERFOIL_SMTP_HOST", "")
EMAIL_PORT = int(os.environ.get("COUNTERFOIL_SMTP_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("COUNTERFOIL_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("COUNTERFOIL_SMTP_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("COUNTERFOIL_SMTP_TLS", "1") == "1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("COUNTERFOIL_MAIL_FROM", "updates@counterfoil.example")

# Sockets for outside products: the adapter's dotted path and its options; witness and timestamper take several by name.
ANCHORS = read_anchors(os.environ.get("COUNTERFOIL_ANCHORS", ""), COUNTERFOIL_HOME, production=PRODUCTION)
VAULT = os.environ.get("COUNTERFOIL_VAULT", "")
PLUGS: dict[str, Any] = {
    "store": (
        {
            "BACKEND": "counterfoil.adapters.store_s3.S3",
            "OPTIONS": {"where": VAULT, "endpoint": os.environ.get("COUNTERFOIL_S3_ENDPOINT", "")},
        }
        if VAULT.startswith("s3://")
        else {"BACKEND": "counterfoil.adapters.store_files.Files", "OPTIONS": {"where": VAULT}}
    ),
    "notifier": (
        {"BACKEND": "counterfoil.adapters.notifier_smtp.Smtp", "OPTIONS": {}}
        if os.environ.get("COUNTERFOIL_SMTP_HOST")
        else {"BACKEND": "counterfoil.adapters.notifier_console.Console", "OPTIONS": {}}
    ),
    "scanner": (
        {
            "BACKEND": "counterfoil.adapters.scanner_clamd.Clamd",
            "OPTIONS": {"address": os.environ["COUNTERFOIL_CLAMD"]},
        }
        if os.environ.get("COUNTERFOIL_CLAMD")
        else {"BACKEND": "counterfoil.adapters.scanner_none.NoScanner", "OPTIONS": {}}
    ),
    "hashlist": (
        {
            "BACKEND": "counterfoil.adapters.hashlist_file.FileList",
            "OPTIONS": {"path": os.environ["COUNTERFOIL_HASHLIST"]},
        }
        if os.environ.get("COUNTERFOIL_HASHLIST")
        else {"BACKEND": "counterfoil.adapters.hashlist_none.NoList", "OPTIONS": {}}
    ),
    "timestamper": ANCHORS.timestamper,
    "witness": ANCHORS.witness,
}
# So many different operators' witnesses must have cosigned, and so many seconds two authorities may differ.
WITNESS_QUORUM = ANCHORS.quorum
STAMP_TOLERANCE = ANCHORS.tolerance
# What people decided about the log (erasures, reconciliations); on another disk than the backups restore.
COUNTERFOIL_DECISIONS = os.environ.get("COUNTERFOIL_DECISIONS", "")

# Followers that react at once to upstream acts. The clock's sweep does the same work without them.
FOLLOWERS = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "counterfoil.config.logs.Plain"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Its handlers print whole exceptions and write to administrators by e-mail; ours says less.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # A refused request is no fault of ours, and its address may be a secret link.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
