-- PostgreSQL only: which claims are told is part of the directory.
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON claim_mapper
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
