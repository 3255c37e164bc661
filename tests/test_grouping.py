"""Tests that share a finished run must land in one process, or it is made twice."""

import os

import pytest


@pytest.mark.xdist_group("grouping")
def test_xdist_sees_the_groups(request):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process only")
    assert request.node.nodeid.endswith("@grouping")
