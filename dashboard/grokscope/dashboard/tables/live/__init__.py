"""What is told of runs in training: how long they still take, and what was read beside their curves."""
