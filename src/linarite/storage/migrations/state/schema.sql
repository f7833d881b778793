BEGIN IMMEDIATE;
CREATE TABLE account_keys (
	account_key TEXT NOT NULL, 
	name TEXT NOT NULL, 
	sealed BLOB NOT NULL, 
	PRIMARY KEY (account_key, name), 
	FOREIGN KEY(account_key) REFERENCES sealing_keys (account_key)
);
CREATE TABLE activity_events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subscription_key TEXT NOT NULL, 
	at TEXT NOT NULL, 
	resource_key TEXT NOT NULL, 
	correlation_key TEXT NOT NULL, 
	body TEXT NOT NULL
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE alert_states (
	"key" TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE application_keys (
	key_id TEXT NOT NULL, 
	account_key TEXT NOT NULL, 
	digest BLOB NOT NULL, 
	last_used_s BIGINT NOT NULL, 
	PRIMARY KEY (key_id)
);
CREATE TABLE diagnostic_cursors (
	"key" TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE jobs (
	id TEXT NOT NULL, 
	resource_key TEXT NOT NULL, 
	scope_key TEXT NOT NULL, 
	running BOOLEAN NOT NULL, 
	started_at TEXT NOT NULL, 
	ended_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE lasting_counts (
	"key" TEXT NOT NULL, 
	period INTEGER NOT NULL, 
	amount BIGINT NOT NULL, 
	over_at BIGINT NOT NULL, 
	PRIMARY KEY ("key", period)
);
CREATE TABLE master_key_check (
	id INTEGER NOT NULL, 
	fingerprint BLOB NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE network_entries (
	"key" TEXT NOT NULL, 
	account_key TEXT NOT NULL, 
	perimeter_key TEXT NOT NULL, 
	category TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	place TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE resources (
	id_key TEXT NOT NULL, 
	type_key TEXT NOT NULL, 
	etag TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id_key)
);
CREATE TABLE sealing_keys (
	account_key TEXT NOT NULL, 
	wrapped BLOB NOT NULL, 
	PRIMARY KEY (account_key)
);
CREATE TABLE webhook_letters (
	id TEXT NOT NULL, 
	destination TEXT NOT NULL, 
	account_key TEXT NOT NULL, 
	state TEXT NOT NULL, 
	made_at TEXT NOT NULL, 
	due_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX activity_events_by_correlation ON activity_events (correlation_key);
CREATE INDEX activity_events_by_time ON activity_events (at);
CREATE INDEX application_keys_by_account ON application_keys (account_key);
CREATE INDEX jobs_by_resource ON jobs (resource_key, started_at);
CREATE INDEX jobs_by_state ON jobs (running, ended_at);
CREATE INDEX lasting_counts_by_end ON lasting_counts (over_at);
CREATE INDEX network_entries_by_account ON network_entries (account_key, place);
CREATE INDEX network_entries_by_place ON network_entries (place);
CREATE INDEX resources_by_type ON resources (type_key, id_key);
CREATE INDEX webhook_letters_by_due ON webhook_letters (state, due_at);
CREATE INDEX webhook_letters_by_time ON webhook_letters (made_at);
INSERT INTO alembic_version VALUES ('0009');
COMMIT;
