"""What a sweep of settings shows: phase diagram, boundary, next cells, Pareto front, exchange rate of compute."""
