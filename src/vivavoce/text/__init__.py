"""Written text → the words it is spoken as. On the lowest layer: engines read with it, replies are written for it."""
