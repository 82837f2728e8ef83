-- Since when the members of a group are asked for two factors at each sign-in; they are not while it is missing.
ALTER TABLE user_group ADD COLUMN second_factor_at BIGINT;
