"""What is kept: the operations, authors and dreams in SQLite, the dreams' pictures in files."""
