"""Experiments on facts: when a transformer recalls them, and when it combines them."""
