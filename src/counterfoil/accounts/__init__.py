"""Who is acting: officers, prosecutors, partners, the public and the clock; their roles and what they may see."""
