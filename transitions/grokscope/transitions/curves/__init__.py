"""One curve: its points, noise, levels, crossings, and the intervals of dates."""
