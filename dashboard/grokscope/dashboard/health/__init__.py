"""What is found when the store, this machine and the runs of an experiment are looked at."""
