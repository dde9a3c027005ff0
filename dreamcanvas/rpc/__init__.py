"""Remote calls over websockets, encoded as wsrpc or JSON-RPC 2.0. This package knows nothing of canvases."""
