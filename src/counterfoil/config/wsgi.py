"""The WSGI entry point that the web server loads; what was erased stays erased after a restore before it serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "counterfoil.config.settings")
application = get_wsgi_application()

from counterfoil.ledger.actions import replay_erasures  # noqa: E402  (needs the apps to be loaded)

replay_erasures()
