"""The two tests of every chapter's exercises, from its right answers and its wrong ones with their reasons."""

import pytest

from course_lib.exercises import Wrong, exercises


def judged(right, wrong):
    """Tests that each of `right` (name, answer) is accepted, and each of `wrong` (name, answer, reason) refused for it."""

    @pytest.mark.parametrize("name, answer", right, ids=[f"{name}-{n}" for n, (name, _) in enumerate(right)])
    def accepted(name, answer):
        assert exercises(name[:2])[name].grade(answer)

    @pytest.mark.parametrize("name, answer, reason", wrong, ids=[f"{name} {reason}" for name, _, reason in wrong])
    def refused(name, answer, reason):
        with pytest.raises(Wrong) as refusal:
            exercises(name[:2])[name].grade(answer)
        assert reason in str(refusal.value)

    return accepted, refused
