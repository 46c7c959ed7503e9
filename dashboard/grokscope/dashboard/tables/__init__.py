"""Frames behind what is shown: runs, costs, leads, panels, and the units that steps are counted in."""
