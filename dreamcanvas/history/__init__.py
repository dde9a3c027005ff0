"""The recording: windows of dreams, their movies, and what finds a moment in them."""
