"""Charts of one run: its panels, its layers over steps, its arrays, and its dates by other definitions."""
