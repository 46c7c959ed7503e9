"""Which outputs of a model are its logits, where their classes are, and whether they are probabilities."""
