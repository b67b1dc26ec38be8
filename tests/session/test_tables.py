"""The two tables: every transition, and none beside them."""

from __future__ import annotations

from itertools import product

import pytest

from vivavoce.session.response import RESPONSE_TABLE, STATUS, ResponseState, ResponseStep
from vivavoce.session.turn import TURN_TABLE, Turn, TurnEvent, TurnState

FINAL_RESPONSES = {ResponseState.COMPLETED, ResponseState.INCOMPLETE, ResponseState.CANCELLED, ResponseState.FAILED}
FINAL_TURNS = {TurnState.TRANSCRIBED, TurnState.EMPTY, TurnState.FAILED, TurnState.DISCARDED}


def test_final_states_are_final() -> None:
    assert not {state for state, _ in RESPONSE_TABLE} & FINAL_RESPONSES
    assert not {state for state, _ in TURN_TABLE} & FINAL_TURNS
    assert {state for state in ResponseState if STATUS[state] != "in_progress"} == FINAL_RESPONSES


def test_every_state_can_be_reached() -> None:
    assert set(RESPONSE_TABLE.values()) | {ResponseState.WAITING} == set(ResponseState)
    assert set(TURN_TABLE.values()) | {TurnState.LISTENING} == set(TurnState)


def test_every_response_in_progress_can_be_cancelled_and_cut_short() -> None:
    for state in set(ResponseState) - FINAL_RESPONSES:
        assert RESPONSE_TABLE[state, ResponseStep.CANCEL] is ResponseState.CANCELLED
        assert RESPONSE_TABLE[state, ResponseStep.CUT_SHORT] is ResponseState.INCOMPLETE


@pytest.mark.parametrize(("state", "event"), list(product(TurnState, TurnEvent)))
def test_a_turn_moves_by_the_table_only(state: TurnState, event: TurnEvent) -> None:
    turn = Turn("t", _state=state)
    if (state, event) in TURN_TABLE:
        assert turn.happened(event) is turn.state is TURN_TABLE[state, event]
    else:
        with pytest.raises(KeyError):
            turn.happened(event)
        assert turn.state is state
