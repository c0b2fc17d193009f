"""Something someone must do by a time, or it climbs a ladder. Its one parent is a case."""
