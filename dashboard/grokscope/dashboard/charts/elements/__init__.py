"""What charts are made of: axes, marks, labels, colours, and fewer points than there are."""
