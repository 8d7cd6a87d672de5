"""Notifications: contact points, templates, deliveries by mail and signed webhook."""
