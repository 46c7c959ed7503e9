"""The page Interventions: which training choice reaches a degree of generalization for the least compute."""
