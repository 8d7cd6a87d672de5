"""Intake's pages on a real database."""
