"""How good the engine is: scores against labels, and synthetic runs whose dates are known."""
