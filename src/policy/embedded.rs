//! The pack that the binary holds: every file under `policies/`, found when it is built.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
