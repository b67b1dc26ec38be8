"""A bounded memory that forgets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.web_search.remembering import Remembering


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans()), max_size=60), st.integers(1, 4))
def test_it_keeps_the_last_used_for_their_time(steps: list[tuple[int, int, bool]], most: int) -> None:
    now = 0.0
    kept: Remembering[int, int] = Remembering(most, 7, clock=lambda: now)
    model: dict[int, tuple[float, int]] = {}
    for key, wait, puts in steps:
        now += wait
        if puts:
            kept.put(key, int(now))
            model.pop(key, None)
            model[key] = (now + 7, int(now))
            while len(model) > most:
                del model[next(iter(model))]
        else:
            until, value = model.get(key, (0.0, 0))
            expected = value if until > now else None
            assert kept.get(key) == expected
            if key in model:
                entry = model.pop(key)
                if expected is not None:
                    model[key] = entry
