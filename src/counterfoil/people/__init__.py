"""Identities, perhaps the same as one another: linked reversibly, never merged."""
