"""What routing decides: matching, offers, clocks. Pure functions over frozen data."""
