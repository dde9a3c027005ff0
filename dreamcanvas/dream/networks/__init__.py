"""The networks that can dream, one module each; `dreamcanvas.dream.network` has the registry."""
