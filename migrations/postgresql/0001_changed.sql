-- PostgreSQL only: whatever changes a row that nodes hold in memory tells all of them, in the same transaction.
-- Triggers, so that cascades and an operator's own statements are felt as well. The listener is src/edge/store/listen.rs.
-- Arguments: the columns of the key. A payload is "table key", or "table *" when a statement changed many rows.
CREATE FUNCTION symbolon_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    keys TEXT[];
BEGIN
    -- The clearing away of what expired long ago concerns nobody. (Time of the database: with another clock more is told.)
    SELECT array_agg(concat_ws(' ', told.line ->> TG_ARGV[0], told.line ->> TG_ARGV[1])) INTO keys
    FROM (
        SELECT row.line FROM (SELECT to_jsonb(changed) AS line FROM changed) AS row
        WHERE TG_OP <> 'DELETE'
            OR COALESCE((row.line ->> 'expires_at')::BIGINT > EXTRACT(EPOCH FROM now()) - 1800, TRUE)
        LIMIT 101
    ) AS told;
    IF array_length(keys, 1) > 100 THEN
        PERFORM pg_notify('symbolon', TG_TABLE_NAME || ' *');
    ELSE
        PERFORM pg_notify('symbolon', TG_TABLE_NAME || ' ' || key) FROM unnest(keys) AS key;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER symbolon_updated AFTER UPDATE ON user_account REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON user_account REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_inserted AFTER INSERT ON identifier REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON identifier REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON identifier REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON oauth_client REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON oauth_client REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON user_session REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON user_session REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON consent REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id', 'client_id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON consent REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('user_id', 'client_id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON oauth_grant REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON oauth_grant REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('id');
CREATE TRIGGER symbolon_updated AFTER UPDATE ON refresh_token REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('hash');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON refresh_token REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('hash');
CREATE TRIGGER symbolon_deleted AFTER DELETE ON opaque_access_token REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('hash');
CREATE TRIGGER symbolon_inserted AFTER INSERT ON denied_access_token REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION symbolon_changed('jti_hash', 'expires_at');
