"""Notifications' edges: the bus, the database, mail, webhooks, the operator's page."""
