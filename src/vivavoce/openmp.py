"""How threads of native libraries wait for each other."""

from __future__ import annotations

import os


def calm_waiting_threads() -> None:
    """Have them spin only briefly, then sleep. To be called before the first engine's library is loaded.

    GNU OpenMP, which llama.cpp and CTranslate2 use, reads its settings once, when it is loaded. By default waiting threads
    spin without end: with anything else on the same cores a token then takes ten times as long. Without any spinning a
    third of the speed is lost on idle cores. A fifth of a millisecond keeps both (``benchmarks/generation.py``). What is
    already set is left alone.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
