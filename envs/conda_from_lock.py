"""Write environment.yaml for conda users from the same pins as the lock."""

from pathlib import Path

HERE = Path(__file__).parent
HEAD = """\
# For conda users; made from requirements.lock by `make lock`, do not edit.
name: paraspec
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def main() -> None:
    """Write the conda file beside the lock."""
    lock = (HERE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lock if "==" in line]
    body = "".join(f"      - {pin}\n" for pin in pins)
    (HERE / "environment.yaml").write_text(HEAD + body, encoding="utf-8")


if __name__ == "__main__":
    main()
