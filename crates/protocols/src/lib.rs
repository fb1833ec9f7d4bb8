//! What clients of other systems say to the mirror, and what they are answered.
