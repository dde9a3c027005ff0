"""A wsrpc and JSON-RPC 2.0 library over websockets. It knows nothing of canvases."""
