"""How much a network says: what its weights, units and inputs can do without."""
