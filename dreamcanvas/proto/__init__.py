"""Generated from proto/*.proto by scripts/protos, and the schema itself."""
