"""What can happen in a run, one file a kind, each found in curves and turned into dated transitions."""
