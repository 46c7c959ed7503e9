"""Experiments on data that a rule makes: the whole table of it is known, and so is who found the rule."""
