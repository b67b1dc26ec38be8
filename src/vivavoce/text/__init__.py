"""Written text → the words it is spoken as. On the lowest floor: engines read with it, replies are written for it."""
