"""The questions, one file each: a reading and what was asked in, a record out."""
