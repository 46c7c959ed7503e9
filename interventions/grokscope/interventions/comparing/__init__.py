"""Groups of runs compared: what each spends until a target, how many times less than another, how surely."""
