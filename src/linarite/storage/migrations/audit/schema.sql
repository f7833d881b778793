BEGIN IMMEDIATE;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE audit_checkpoints (
	id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	at TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	signature BLOB NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE audit_entries (
	seq INTEGER NOT NULL, 
	hash BLOB NOT NULL, 
	body BLOB NOT NULL, 
	at TEXT NOT NULL, 
	category TEXT NOT NULL, 
	principal_key TEXT NOT NULL, 
	resource_key TEXT NOT NULL, 
	request_key TEXT NOT NULL, 
	correlation_key TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE audit_log (
	id INTEGER NOT NULL, 
	public_key BLOB NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX audit_checkpoints_by_seq ON audit_checkpoints (seq);
CREATE TRIGGER audit_checkpoints_follow BEFORE INSERT ON audit_checkpoints
    WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints only follow one another'); END;
CREATE TRIGGER audit_checkpoints_remain BEFORE DELETE ON audit_checkpoints
    WHEN OLD.seq >= coalesce((SELECT max(seq) FROM audit_checkpoints WHERE kind = 'prune'), 0)
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints go only below a signed one'); END;
CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never changed'); END;
CREATE INDEX audit_entries_by_request ON audit_entries (request_key);
CREATE INDEX audit_entries_by_time ON audit_entries (at);
CREATE TRIGGER audit_entries_follow BEFORE INSERT ON audit_entries
    WHEN EXISTS (SELECT 1 FROM audit_entries WHERE seq >= NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit entries only follow one another'); END;
CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
    WHEN OLD.seq > coalesce((SELECT max(seq) FROM audit_checkpoints WHERE kind = 'prune'), 0)
    BEGIN SELECT RAISE(ABORT, 'audit entries go only below a signed checkpoint'); END;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
    BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
CREATE TRIGGER audit_log_is_one BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log)
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END;
CREATE TRIGGER audit_log_remains BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END;
CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END;
INSERT INTO alembic_version VALUES ('0001');
COMMIT;
