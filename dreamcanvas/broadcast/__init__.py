"""Events to everyone who subscribed: each is encoded once for all readers."""
