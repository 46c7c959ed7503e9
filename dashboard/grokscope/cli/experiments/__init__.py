"""Experiments at the terminal: listed, trained arm by arm, and what their arms did."""
