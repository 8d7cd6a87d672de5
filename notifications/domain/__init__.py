"""Rules of notifications: who is told what, and when an attempt is repeated or given up."""
