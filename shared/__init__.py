"""What the services share: contracts, plumbing and pages. Never a business rule."""
