"""The detector of runs in training: one evaluation at a time, in bounded memory, with one error bound."""
