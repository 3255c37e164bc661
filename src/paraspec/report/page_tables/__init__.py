"""The page's tables: study tables turned into cells of text."""
