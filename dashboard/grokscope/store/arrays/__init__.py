"""Arrays of runs, read back from the files among their artifacts."""
