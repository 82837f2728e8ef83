-- PostgreSQL only: providers tell all nodes when they change.
CREATE TRIGGER symbolon_inserted AFTER INSERT ON identity_provider REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON identity_provider REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON identity_provider REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
