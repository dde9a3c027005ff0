"""What changes the canvas: the single writer, its undo and restore, and the dream loop."""
