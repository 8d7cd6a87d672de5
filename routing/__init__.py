"""Routing: the partner directory, matching, offers with their clocks, places, queues."""
