"""Experiments on the order of the data: the same examples, easy ones first, last or among the others."""
