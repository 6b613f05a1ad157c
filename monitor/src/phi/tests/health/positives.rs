//! Health information of every class, in many vehicles and spellings.

use super::*;
