"""The doctor looks after engines that run elsewhere."""

from __future__ import annotations

from openai_stub import running_stub, said
from vivavoce.cli.checks import check_engines_elsewhere
from vivavoce.config import load_config
from vivavoce.config.engines import FAKE_ENGINES


def test_the_doctor_says_which_engine_elsewhere_does_not_answer() -> None:
    with running_stub(lambda asked: said("x")) as served:
        far = {"engine": "openai", "settings": {"url": served.url, "model": "served"}}
        away = {"engine": "openai", "settings": {"url": "http://127.0.0.1:9/v1", "model": "m"}}
        engines = {
            **FAKE_ENGINES.model_dump(),
            "recognizer": "ears",
            "instances": {"ears": away},
            "language_models": {"large": far, "small": {"engine": "fake"}},
        }
        findings = {finding.name: finding for finding in check_engines_elsewhere(load_config({"engines": engines}))}
        assert not served.posts()
    assert findings["engine large"].verdict == "ok"
    assert (findings["engine ears"].verdict, findings["engine ears"].detail) == ("warn", "cannot be reached")
    assert len(findings) == 2
