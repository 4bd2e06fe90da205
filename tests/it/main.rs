//! Tests of the library and the program as their users have them.

mod inventory;
