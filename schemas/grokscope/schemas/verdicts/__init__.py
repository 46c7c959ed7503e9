"""What a run did: dated transitions, the verdict made of them, its JSON form, and who detects online."""
