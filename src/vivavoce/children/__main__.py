"""Where every child process begins: ``python -P -m vivavoce.children [--readable PATH]… MODULE``.

It confines itself and runs the module's ``main(unavailable)``; ``unavailable`` says what this system cannot keep it from. The
module is imported afterwards, so that its libraries' threads and files are bounded from the start.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from vivavoce.children.confinement import confine


def main() -> None:
    """Confine this process, then run the module that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readable", type=Path, action="append", default=[])
    parser.add_argument("module")
    arguments = parser.parse_args()
    unavailable = confine(arguments.readable)
    importlib.import_module(arguments.module).main(unavailable)


if __name__ == "__main__":
    main()
