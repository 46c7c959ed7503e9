"""Quality, data and compute efficiency, reliability under shift and dynamics, of each run and group."""
