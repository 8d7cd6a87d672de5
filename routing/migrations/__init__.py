"""The schema of routing's database, forward only."""
