"""HTTP: the pages, pictures, movies and feeds."""
