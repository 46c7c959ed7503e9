"""Hidden activations: their spectrum, classes, units and likeness."""
