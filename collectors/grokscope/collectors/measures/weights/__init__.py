"""The parameters: norms, distance from the start, spectra."""
