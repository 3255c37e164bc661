"""The block of the profile that a site fills in."""

import re

import pytest

from tests.workflow.conftest import BASE
from tests.workflow.slurm.conftest import Toy

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]


def filled_in(text: str) -> str:
    """The profile with its site's block in force.

    There is no account: without an accounting database none may be named.
    """
    before, mark, rest = text.partition("# ---- Your site")
    block, end, after = rest.partition("# ---- End of your site")
    setting = r"^# (?=default-resources:|set-resources:|  [a-z_]+:)"
    block = re.sub(setting, "", block, flags=re.MULTILINE)
    block = re.sub(r"^  slurm_account: .*\n", "", block, flags=re.MULTILINE)
    return before + mark + block + end + after


def test_a_sites_partition_and_gpu_model_reach_the_job(cluster, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    given = (BASE / "profiles/slurm/config.yaml").read_text()
    (site / "config.yaml").write_text(filled_in(given))
    toy = Toy(tmp_path)
    toy.start("--profile", str(site), "score.txt").ended()
    partition, gpu, memory, minutes, word, device = toy.result_of("score")
    assert (partition, gpu) == ("gpu", "gres:gpu:h200:1")
    assert (memory, minutes) == ("500M", "5:00")
    assert (word, device) == ("GPU", "0")
