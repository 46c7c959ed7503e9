"""The runs that questions are asked of: out of a table, or out of a store."""
