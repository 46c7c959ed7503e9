"""What a sweep shows: phase diagram, boundary, next cells, Pareto front, exchange rate of compute."""
