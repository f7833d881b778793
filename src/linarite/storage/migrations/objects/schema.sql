BEGIN IMMEDIATE;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE stored_objects (
	account_key TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	id TEXT NOT NULL, 
	label TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	blob TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (account_key, kind, id)
);
CREATE TABLE stored_sizes (
	account_key TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	PRIMARY KEY (account_key, kind)
);
CREATE TRIGGER stored_object_added AFTER INSERT ON stored_objects BEGIN INSERT INTO stored_sizes VALUES (NEW.account_key, NEW.kind, length(CAST(NEW.body AS BLOB)) + CASE NEW.blob WHEN '' THEN 0 ELSE coalesce(json_extract(NEW.body, '$.blob_bytes'), 0) END) ON CONFLICT (account_key, kind) DO UPDATE SET bytes = bytes + excluded.bytes; END;
CREATE TRIGGER stored_object_changed AFTER UPDATE OF body, blob ON stored_objects BEGIN UPDATE stored_sizes SET bytes = bytes - (length(CAST(OLD.body AS BLOB)) + CASE OLD.blob WHEN '' THEN 0 ELSE coalesce(json_extract(OLD.body, '$.blob_bytes'), 0) END) WHERE account_key = OLD.account_key AND kind = OLD.kind; INSERT INTO stored_sizes VALUES (NEW.account_key, NEW.kind, length(CAST(NEW.body AS BLOB)) + CASE NEW.blob WHEN '' THEN 0 ELSE coalesce(json_extract(NEW.body, '$.blob_bytes'), 0) END) ON CONFLICT (account_key, kind) DO UPDATE SET bytes = bytes + excluded.bytes; END;
CREATE TRIGGER stored_object_removed AFTER DELETE ON stored_objects BEGIN UPDATE stored_sizes SET bytes = bytes - (length(CAST(OLD.body AS BLOB)) + CASE OLD.blob WHEN '' THEN 0 ELSE coalesce(json_extract(OLD.body, '$.blob_bytes'), 0) END) WHERE account_key = OLD.account_key AND kind = OLD.kind; DELETE FROM stored_sizes WHERE account_key = OLD.account_key AND kind = OLD.kind AND bytes <= 0; END;
CREATE INDEX stored_objects_by_expiry ON stored_objects (expires_at);
CREATE INDEX stored_objects_by_label ON stored_objects (account_key, kind, label, id);
INSERT INTO alembic_version VALUES ('0002');
COMMIT;
