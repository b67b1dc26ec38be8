"""Child processes for what is fragile or comes from outside: how they are started, confined, spoken with, and how they die.

Documents, recordings and the models of cloned voices are read by native libraries. Each does so in a process of its own that
has no network, starts no program, sees no files but Python's own, and has bounds of memory and time.

**The protocol.** A child is started with one end of a socket as its standard input, and answers on its standard output; what
libraries print goes elsewhere (``process``, ``command``).

* What is said is *frames*: a line of JSON, which ends with how many bytes of samples follow it, and those (``frames``).
* A *job* that comes with a file is a line of JSON on the socket with an open descriptor beside it; a child has no path of
  anything (``jobs``). It names the job's own limits, ``cpu_s`` and ``memory_bytes``.
* The first frame of a child that takes such jobs says what this system cannot keep it from: ``{"refused": […]}``. Each
  job is answered by any number of frames, as they are made, and a last one with ``end``, or with ``error`` and ``code``
  (``serving``).
* A child ends when its socket does. The server ends one whose answer nobody wants any more, which takes too long, or which
  says what is no frame. One that dies of something else than its limits is replaced once, and the frames that had come are
  left out the second time (``pool``).
* Children wait for the next job, until they have had many, keep too much memory, or have run out of it, which the last frame
  says (``spent``). One that died while it waited is left out, and costs no job one of its tries. Whose job is next is not
  said here: callers queue by owner or by size.

Cloning engines have no files to read but their models, which are loaded once: they say frames in both directions, and are
told to stop between two pieces (``engines/sherpa``). So do those that decode audio tokens, which many replies share
(``engines/token2wav``).
"""
