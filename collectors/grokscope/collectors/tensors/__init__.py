"""Tensors below the measures: torch functions with types, whole models in chunks, shards, random signs."""
