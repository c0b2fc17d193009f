"""Small deep libraries without Django: each opens with an example that runs."""
