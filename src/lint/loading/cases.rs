//! What is found in files beside policies: cases, and snapshots of what came of them.

use crate::diagnostic::Level;
use crate::lint::{Category, Check, Lint};

pub(super) const LINTS: &[Lint] = &[
    Lint {
        code: "cases",
        category: Category::Metadata,
        level: Level::Error,
        summary: "A `.cases.yaml` file that cannot be read, has members that no case has, or has no policy of its name beside it. `check` tells it; it keeps no policy from loading.",
        avoid: "",
        prefer: "what `lawbook new` writes; the [schema](../schemas/cases.schema.json) lists all members.",
        why: "A case with a misspelt expectation expects nothing, and cases of a policy that is called otherwise are never run.",
        check: Check::Loading,
        bad: &[],
        good: &[],
    },
    Lint {
        code: "snapshot",
        category: Category::Metadata,
        level: Level::Error,
        summary: "A `.snap` or `.snap.new` file beside a policy that is no snapshot: without its head, not YAML, or a case in it has no name. `test` and `review` tell it.",
        avoid: "",
        prefer: "what `lawbook test` writes: remove the file, run the test, and review what it writes anew.",
        why: "What cannot be read cannot be compared, and a test that compares nothing passes.",
        check: Check::Loading,
        bad: &[],
        good: &[],
    },
    Lint {
        code: "survivor",
        category: Category::Metadata,
        level: Level::Warning,
        summary: "`lawbook test --mutate` changed the policy here, as the message says, and every case passed all the same.",
        avoid: "",
        prefer: "a case that `lawbook test` would fail with the changed policy: [testing.md](testing.md#mutation).",
        why: "What no case notices may be changed by accident, and nobody will know.",
        check: Check::Loading,
        bad: &[],
        good: &[],
    },
];
