"""Who a caller is, what it may spend, and who may not draw."""
