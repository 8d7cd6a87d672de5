"""`make faults`: the real processes under load and faults, then checked from outside."""
