"""What notifications does: tell, stop, forget, record an attempt, send again."""
