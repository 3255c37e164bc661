"""Every table that a step writes, described once: one module for each room."""
