"""Points that were read before, in memory and on the local disk."""
