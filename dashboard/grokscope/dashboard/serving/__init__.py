"""The server behind the app: how it starts, whom it answers, and what it tells when it stands still."""
