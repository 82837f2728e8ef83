-- PostgreSQL only: every change of the directory tells all nodes, which then read it anew; memberships are told by their person.
CREATE FUNCTION symbolon_directory_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('symbolon', 'directory *');
    RETURN NULL;
END
$$;
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON user_group
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON group_scope
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON app_role
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON role_of_group
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON permission
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON permission_of_group
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_changed AFTER INSERT OR UPDATE OR DELETE ON permission_of_role
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_directory_changed();
CREATE TRIGGER symbolon_inserted AFTER INSERT ON group_member REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON group_member REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_inserted AFTER INSERT ON role_of_user REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON role_of_user REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
