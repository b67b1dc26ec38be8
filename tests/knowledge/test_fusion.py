from __future__ import annotations

import pytest

from vivavoce.knowledge.fusion import RANK_CONSTANT, fused_scores


def test_what_is_first_everywhere_scores_one() -> None:
    assert fused_scores(["abc", "acb"])["a"] == pytest.approx(1.0)


def test_each_ranking_adds_by_rank() -> None:
    scores = fused_scores(["ab", "bc"])
    second = (RANK_CONSTANT + 1) / (RANK_CONSTANT + 2)
    assert scores == pytest.approx({"a": 1 / 2, "b": (second + 1) / 2, "c": second / 2})


def test_a_small_constant_prefers_the_first_ranks() -> None:
    """One first place and a last one against two middle ones."""
    rankings = ["abcd", "dcba"]
    assert fused_scores(rankings, 0)["a"] > fused_scores(rankings, 0)["b"]
    close = fused_scores(rankings, 10_000)
    assert close["a"] == pytest.approx(close["b"])


def test_without_rankings_there_are_no_scores() -> None:
    assert fused_scores([]) == {}
