"""Which measures move first, and where the measures of a run turn together."""
