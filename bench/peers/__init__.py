"""What ours is compared with, started by the benches themselves."""
