"""What must hold after every run, whatever was done to the system; each yields what is wrong."""
