"""What one run did: its pattern, its dates by each definition, the evidence, and what is missing."""
