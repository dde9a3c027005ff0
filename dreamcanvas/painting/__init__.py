"""What changes the canvas: its single writer, undo and restore, and the dream loop."""
