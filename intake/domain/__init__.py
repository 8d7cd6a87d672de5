"""Rules of intake: pure functions of what a person said and signed."""
