"""What a tracker does with an online detector: feed it, look closer while it suspects, keep checkpoints."""
