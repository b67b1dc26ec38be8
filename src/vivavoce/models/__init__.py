"""The weights: a catalogue of what they are, a store that holds verified files, and the pull that fills it."""
