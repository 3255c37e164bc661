"""Speed against a loop and against peers, and error rates of the statistics."""
