-- PostgreSQL only: the signing keys tell all nodes when they change; until now each node asked for them.
CREATE TRIGGER symbolon_inserted AFTER INSERT ON signing_key REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('kid');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON signing_key REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('kid');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON signing_key REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('kid');
