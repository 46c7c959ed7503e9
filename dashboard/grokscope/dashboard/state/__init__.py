"""What the app knows at one moment, and what keeps it true: sessions, feeds, verdicts, the selection."""
