"""What passes between the services: codes, events, their schemas and examples."""
