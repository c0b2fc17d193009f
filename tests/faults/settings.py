"""The product's own settings as the environment says, with the cheap hasher."""

from counterfoil.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.cheap.CheapArgon2"]
