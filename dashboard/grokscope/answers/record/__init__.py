"""What an answer is: its record, how names stand in it, and how it is shown as text, JSON and Markdown."""
