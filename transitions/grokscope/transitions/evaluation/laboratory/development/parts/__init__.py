"""What families are put together from: rises, noise, scores and their names, evaluation steps."""
