"""What people hold as a split, read as batches of inputs and targets."""
