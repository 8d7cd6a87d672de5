"""Schema of the notifications database."""
