BEGIN IMMEDIATE;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE metric_grains (
	span_s INTEGER NOT NULL, 
	account_key TEXT NOT NULL, 
	at_s BIGINT NOT NULL, 
	series_id BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (span_s, account_key, at_s, series_id)
)
 WITHOUT ROWID

;
CREATE TABLE metric_series (
	id INTEGER NOT NULL, 
	account_key TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (body)
);
CREATE INDEX metric_grains_by_time ON metric_grains (span_s, at_s);
INSERT INTO alembic_version VALUES ('0001');
COMMIT;
