"""Argon2 with its dials turned down, so that a test may open ten accounts."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class CheapArgon2(Argon2PasswordHasher):
    """The product's hasher, cheap. Never for anything but tests."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
