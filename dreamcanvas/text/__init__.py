"""Text for people: numbers in sentences, and what of a text can be seen (pure)."""
