"""What was drawn, as files to take along."""
