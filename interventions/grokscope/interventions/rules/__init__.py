"""Published rules of competitions, followed exactly, with the intervals that they lack."""
