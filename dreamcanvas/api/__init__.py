"""The services DreamPainter and DreamAdmin: requests are checked, carried out and answered."""
