"""What is charged, and what is shown to a prosecutor, a court or the defence."""
