-- PostgreSQL only: which APIs there are is part of the directory.
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON api
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
