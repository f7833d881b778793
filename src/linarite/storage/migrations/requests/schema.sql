BEGIN IMMEDIATE;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE provisioned_hours (
	deployment_key TEXT NOT NULL, 
	hour INTEGER NOT NULL, 
	units BIGINT NOT NULL, 
	cost_nano BIGINT NOT NULL, 
	PRIMARY KEY (deployment_key, hour)
);
CREATE TABLE request_records (
	seq INTEGER NOT NULL, 
	request_id TEXT NOT NULL, 
	started_at_ns BIGINT NOT NULL, 
	account TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	model TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	method TEXT NOT NULL, 
	path TEXT NOT NULL, 
	api_version TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	error_code TEXT NOT NULL, 
	streamed BOOLEAN NOT NULL, 
	caller_key TEXT NOT NULL, 
	client_request_id TEXT NOT NULL, 
	client_address TEXT NOT NULL, 
	user_agent TEXT NOT NULL, 
	prompt_tokens BIGINT NOT NULL, 
	completion_tokens BIGINT NOT NULL, 
	cached_tokens BIGINT NOT NULL, 
	to_first_token_us BIGINT NOT NULL, 
	to_last_token_us BIGINT NOT NULL, 
	total_us BIGINT NOT NULL, 
	finish TEXT NOT NULL, region TEXT DEFAULT '' NOT NULL, account_id TEXT DEFAULT '' NOT NULL, object_id TEXT DEFAULT '' NOT NULL, app_id TEXT DEFAULT '' NOT NULL, issuer TEXT DEFAULT '' NOT NULL, token_id TEXT DEFAULT '' NOT NULL, decided_by TEXT DEFAULT '' NOT NULL, refused_by TEXT DEFAULT '' NOT NULL, instance TEXT DEFAULT '' NOT NULL, engine TEXT DEFAULT '' NOT NULL, network_rule TEXT DEFAULT '' NOT NULL, model_version TEXT DEFAULT '' NOT NULL, sku TEXT DEFAULT '' NOT NULL, service_tier_asked TEXT DEFAULT '' NOT NULL, service_tier TEXT DEFAULT '' NOT NULL, spilled_from TEXT DEFAULT '' NOT NULL, end_user TEXT DEFAULT '' NOT NULL, project TEXT DEFAULT '' NOT NULL, tags TEXT DEFAULT '' NOT NULL, limited_by TEXT DEFAULT '' NOT NULL, reasoning_tokens BIGINT DEFAULT '0' NOT NULL, audio_prompt_tokens BIGINT DEFAULT '0' NOT NULL, audio_completion_tokens BIGINT DEFAULT '0' NOT NULL, cost_nano BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE TABLE usage_days (
	day INTEGER NOT NULL, 
	subject_id INTEGER NOT NULL, 
	requests BIGINT NOT NULL, 
	refused BIGINT NOT NULL, 
	prompt_tokens BIGINT NOT NULL, 
	completion_tokens BIGINT NOT NULL, 
	cached_tokens BIGINT NOT NULL, 
	reasoning_tokens BIGINT NOT NULL, 
	audio_prompt_tokens BIGINT NOT NULL, 
	audio_completion_tokens BIGINT NOT NULL, 
	cost_nano BIGINT NOT NULL, provisioned_unit_hours BIGINT NOT NULL DEFAULT 0, 
	PRIMARY KEY (day, subject_id)
);
CREATE TABLE usage_subjects (
	id INTEGER NOT NULL, 
	account_id TEXT NOT NULL, 
	account TEXT NOT NULL, 
	deployment TEXT NOT NULL, 
	model TEXT NOT NULL, 
	model_version TEXT NOT NULL, 
	sku TEXT NOT NULL, 
	region TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	service_tier TEXT NOT NULL, 
	caller_key TEXT NOT NULL, 
	object_id TEXT NOT NULL, 
	app_id TEXT NOT NULL, 
	end_user TEXT NOT NULL, 
	project TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TRIGGER request_records_are_added_up AFTER INSERT ON request_records
WHEN NEW.account_id <> '' AND NEW.deployment <> ''
BEGIN
    INSERT INTO usage_subjects (account_id, account, deployment, model, model_version, sku, region, operation, service_tier, caller_key, object_id, app_id, end_user, project, tags)
    VALUES (NEW.account_id, NEW.account, NEW.deployment, NEW.model, NEW.model_version, NEW.sku, NEW.region, NEW.operation, NEW.service_tier, NEW.caller_key, NEW.object_id, NEW.app_id, NEW.end_user, NEW.project, NEW.tags)
    ON CONFLICT DO NOTHING;
    INSERT INTO usage_days (day, subject_id, requests, refused, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, audio_prompt_tokens, audio_completion_tokens, cost_nano)
    SELECT NEW.started_at_ns / 86400000000000, id, 1, NEW.status >= 400,
        NEW.prompt_tokens, NEW.completion_tokens, NEW.cached_tokens, NEW.reasoning_tokens, NEW.audio_prompt_tokens, NEW.audio_completion_tokens, NEW.cost_nano
    FROM usage_subjects WHERE account_id = NEW.account_id AND account = NEW.account AND deployment = NEW.deployment AND model = NEW.model AND model_version = NEW.model_version AND sku = NEW.sku AND region = NEW.region AND operation = NEW.operation AND service_tier = NEW.service_tier AND caller_key = NEW.caller_key AND object_id = NEW.object_id AND app_id = NEW.app_id AND end_user = NEW.end_user AND project = NEW.project AND tags = NEW.tags
    ON CONFLICT (day, subject_id) DO UPDATE SET
        requests = requests + excluded.requests, refused = refused + excluded.refused, prompt_tokens = prompt_tokens + excluded.prompt_tokens, completion_tokens = completion_tokens + excluded.completion_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, audio_prompt_tokens = audio_prompt_tokens + excluded.audio_prompt_tokens, audio_completion_tokens = audio_completion_tokens + excluded.audio_completion_tokens, cost_nano = cost_nano + excluded.cost_nano;
END;
CREATE INDEX request_records_by_account ON request_records (account, seq);
CREATE UNIQUE INDEX request_records_by_request_id ON request_records (request_id);
CREATE UNIQUE INDEX usage_subjects_alike ON usage_subjects (account_id, account, deployment, model, model_version, sku, region, operation, service_tier, caller_key, object_id, app_id, end_user, project, tags);
INSERT INTO alembic_version VALUES ('0007');
COMMIT;
