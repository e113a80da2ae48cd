"""Whether a model can score here as it did where it was made."""

from pathlib import Path

from credit_scoring.exported_model.loading import differing_versions


def test_versions_that_matter_are_told_from_those_that_do_not(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0\nuvicorn==0.1.0\nno-such-package==1.0\n")
    (tmp_path / "python_env.yaml").write_text("python: 3.8.1\n")
    grave, slight = differing_versions(tmp_path)
    assert [line.split()[0] for line in grave] == ["numpy", "no-such-package"]
    assert [line.split()[0] for line in slight] == ["uvicorn", "Python"]
