"""The C executor's own tests with the Scheme executor. (The hostile set of every backend is run for both executors as well: here is
only what that does not have, and what one boot answers.)
"""

from __future__ import annotations

import pytest
import test_executor_boots as boots
import test_executor_hostile as attacks
from guest_harness import Guest

pytestmark = pytest.mark.boot

test_canonical_form_and_references = boots.test_canonical_form_and_references
test_closure_graphs_and_outputs = boots.test_closure_graphs_and_outputs
test_export_larger_than_its_window = boots.test_export_larger_than_its_window
test_i686 = boots.test_i686
test_outputs_that_are_not_folders = boots.test_outputs_that_are_not_folders
test_what_a_builder_sees = boots.test_what_a_builder_sees

hostile = attacks.hostile
test_builder_that_cannot_start = attacks.test_builder_that_cannot_start
test_everything_out_of_reach = attacks.test_everything_out_of_reach
test_hard_links = attacks.test_hard_links
test_killed_by_a_signal = attacks.test_killed_by_a_signal
test_names_in_the_store = attacks.test_names_in_the_store
test_second_step_is_named = attacks.test_second_step_is_named
test_source_that_differs = attacks.test_source_that_differs
test_survivors_write_nothing_after_the_end = attacks.test_survivors_write_nothing_after_the_end


def test_malformed_script(guest: Guest) -> None:
    plan = guest.plan()
    plan.sh("echo > $out")
    verdict = guest.run(plan, script=attacks.altered(plan, b"  (graphs)\n", b""))
    assert verdict.failure == "the check of the sources failed: malformed script: expected a step of nine clauses [internal]"
