"""What logits and targets tell: curves of a split."""
