"""What routing does: one verb per function, on ports."""
