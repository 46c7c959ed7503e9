"""Looking at a model in training: when, on what, for how long, and without leaving a trace."""
