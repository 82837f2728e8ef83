-- PostgreSQL only: a retired key that is withdrawn is told to all nodes; one that retires is told by "signing_key", which it leaves.
CREATE TRIGGER symbolon_deleted AFTER DELETE ON retired_signing_key REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('kid');
