-- What people call a participant.
ALTER TABLE participants ADD COLUMN display_name TEXT;

-- What a recording keeps to, and what it is found by (JSON).
ALTER TABLE recordings ADD COLUMN about TEXT;
