"""The intake service: rules in domain, verbs in application, the outside world in adapters."""
