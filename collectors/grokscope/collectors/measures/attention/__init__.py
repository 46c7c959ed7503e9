"""Attention heads and the routing of experts."""
