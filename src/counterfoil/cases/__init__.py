"""The file: every report opens or joins one at once. A party is a person in a role on it."""
