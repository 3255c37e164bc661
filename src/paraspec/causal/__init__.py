"""The causal room."""
