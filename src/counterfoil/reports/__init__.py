"""What somebody told us, unaltered, with files in quarantine; and what the sender may see of it now."""
