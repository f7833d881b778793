BEGIN IMMEDIATE;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE content_records (
	account_key TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	deployment TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	size BIGINT NOT NULL, 
	sealed TEXT NOT NULL, 
	PRIMARY KEY (account_key, request_id)
);
CREATE INDEX content_records_by_age ON content_records (at);
INSERT INTO alembic_version VALUES ('0001');
COMMIT;
