"""What readings take of the run's time: timed, shared out among instruments, thinned if it is too much."""
