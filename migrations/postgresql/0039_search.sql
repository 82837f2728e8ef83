-- PostgreSQL only: names are compared byte by byte, as on SQLite, so that those that begin alike stand side by side in the index.
ALTER TABLE identifier ALTER COLUMN lookup TYPE TEXT COLLATE "C";
ALTER TABLE person_name ALTER COLUMN name TYPE TEXT COLLATE "C";
