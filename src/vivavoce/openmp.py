"""How threads of native libraries wait for each other."""

from __future__ import annotations

import os


def calm_waiting_threads() -> None:
    """Have them spin only briefly, then sleep. To be called before the first engine's library is loaded.

    GNU OpenMP, which llama.cpp and CTranslate2 use, reads its settings once, when it is loaded. By default waiting threads
    spin without end: with anything else on the same cores a token then takes ten times as long. Without any spinning a
    third of the speed is lost on idle cores. A fifth of a millisecond keeps both (``benchmarks/generation.py``). What is
    already set is left alone.

    The policy is ``active`` for what it means to threads beyond the number of cores, as two language models have together:
    they spin for 1000 rounds (10 µs), and under ``passive`` not at all, which cost 1.4 times the time of a token with two
    models loaded (libgomp, ``initialize_env``: ``gomp_throttled_spin_count_var``).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "active")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
