"""The schema of the database of wrapped keys."""
