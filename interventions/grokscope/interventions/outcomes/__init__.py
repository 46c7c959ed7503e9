"""What runs reached and what it cost them: targets, costs between two evaluations, ends, estimands."""
