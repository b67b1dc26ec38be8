"""What a turn wants: to have something done, to know about doing it, what documents tell, what changes, or to talk."""
