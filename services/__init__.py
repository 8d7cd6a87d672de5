"""Composition roots: one short file a process, and what a demo adds. Wiring only."""
