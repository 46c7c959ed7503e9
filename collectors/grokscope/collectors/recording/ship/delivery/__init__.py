"""One spool on its way: batched, sent into its run, and what is refused kept apart."""
