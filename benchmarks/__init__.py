"""Speed of the measuring engine beside the tools that one would use instead."""
