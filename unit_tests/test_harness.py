"""A run that a test leaves behind, as when it fails, disturbs no later one."""

from __future__ import annotations

from unit_tests.project import Project


def test_a_run_that_goes_on_is_stopped_by_the_next(project: Project) -> None:
    project.mixpanel.add_fault("hang", "/api", seconds=60)
    left = project.start("check")
    assert project.run("spec", config=None).of("SPEC")
    assert not left.alive()


def test_the_end_of_a_run_that_nobody_waits_for_is_not_taken_for_that_of_the_next(
    project: Project,
) -> None:
    left = project.start("spec", config=None)
    left.has_ended = True
    out = project.run("spec", config=None)
    assert (out.code, len(out.of("SPEC"))) == (0, 1)
