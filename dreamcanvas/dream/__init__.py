"""DeepDream: a picture, changed so that a layer of a network answers more strongly.

The package knows nothing of canvases or sockets. The server imports `dreamer` and `styles`, which load no
TensorFlow; `worker` and `file` do, the one in a process of its own, the other in the command.
"""
