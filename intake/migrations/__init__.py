"""The schema of intake's database."""
