"""The networks that experiments train."""
