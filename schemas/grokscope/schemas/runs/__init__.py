"""What a run was: its configuration as flat settings, and where these stand on the survey's axes."""
