#include "cloud/store/sqlite/migrations.hpp"

namespace hone::cloud::sqlite {
namespace {

// Times are Unix milliseconds, hashes lower-case hexadecimal, secrets and tokens only their SHA-256.
constexpr const char* kMigrations[] = {
    // 1: the whole loop
    R"sql(
    CREATE TABLE pipelines (
      name TEXT PRIMARY KEY,
      signal TEXT NOT NULL,           -- what the stored rows look like; cannot change once there are rows
      holdout REAL NOT NULL           -- the fraction that decided about the stored rows, for good
    ) STRICT;

    CREATE TABLE tickets (
      token_sha256 TEXT PRIMARY KEY,
      pipeline TEXT NOT NULL,
      expires_ms INTEGER NOT NULL,
      device TEXT,                    -- who used it
      nonce_sha256 TEXT               -- the request that used it, so that its answer can be given again
    ) STRICT;

    CREATE TABLE devices (
      id TEXT PRIMARY KEY,
      pipeline TEXT NOT NULL,
      secret_sha256 TEXT NOT NULL,
      enrolled_ms INTEGER NOT NULL,
      seen_ms INTEGER NOT NULL,
      running INTEGER NOT NULL DEFAULT 0,
      state TEXT NOT NULL DEFAULT '',
      spooled INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX devices_by_pipeline ON devices (pipeline);

    CREATE TABLE outcomes (
      device TEXT NOT NULL REFERENCES devices (id),
      pipeline TEXT NOT NULL,
      release INTEGER NOT NULL,
      kind TEXT NOT NULL,
      at_ms INTEGER NOT NULL,         -- first told
      live_ms INTEGER NOT NULL,
      by_delta INTEGER NOT NULL,
      fetched_bytes INTEGER NOT NULL,
      inferences INTEGER NOT NULL,
      errors INTEGER NOT NULL,
      reason TEXT NOT NULL,
      PRIMARY KEY (device, release, kind)
    ) STRICT;
    CREATE INDEX outcomes_by_release ON outcomes (pipeline, release);

    CREATE TABLE batches (
      number INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order in which samples came
      pipeline TEXT NOT NULL,
      device TEXT NOT NULL,
      id TEXT NOT NULL,
      rows INTEGER NOT NULL,
      labelled INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      blob TEXT NOT NULL,
      received_ms INTEGER NOT NULL,
      training_rows INTEGER,          -- both null until the dataset stage has split it
      holdout_rows INTEGER,
      UNIQUE (pipeline, device, id)
    ) STRICT;
    CREATE INDEX batches_unsplit ON batches (pipeline, number) WHERE training_rows IS NULL;
    CREATE INDEX batches_by_pipeline ON batches (pipeline, number);

    CREATE TABLE dataset_devices (    -- the index that stands in a shard's d
      pipeline TEXT NOT NULL,
      place INTEGER NOT NULL,
      device TEXT NOT NULL,
      PRIMARY KEY (pipeline, place),
      UNIQUE (pipeline, device)
    ) STRICT;

    CREATE TABLE shards (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      pipeline TEXT NOT NULL,
      part TEXT NOT NULL,
      rows INTEGER NOT NULL,
      x TEXT NOT NULL, y TEXT NOT NULL, t TEXT NOT NULL, d TEXT NOT NULL
    ) STRICT;
    CREATE INDEX shards_by_pipeline ON shards (pipeline, part, number);

    CREATE TABLE dataset_versions (
      hash TEXT PRIMARY KEY,
      pipeline TEXT NOT NULL,
      training_rows INTEGER NOT NULL,
      holdout_rows INTEGER NOT NULL,
      created_ms INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE jobs (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      pipeline TEXT NOT NULL,
      state TEXT NOT NULL,
      reason TEXT NOT NULL,
      failure TEXT NOT NULL DEFAULT '',
      toml TEXT NOT NULL DEFAULT '',
      fingerprint TEXT NOT NULL DEFAULT '',
      dataset TEXT,                   -- null: asked for by hand, no dataset version was cut yet
      samples INTEGER NOT NULL DEFAULT 0,
      base TEXT,
      attempts INTEGER NOT NULL DEFAULT 0,
      trainer TEXT NOT NULL DEFAULT '',
      last_sample_ms INTEGER NOT NULL DEFAULT 0,
      created_ms INTEGER NOT NULL,
      leased_ms INTEGER,
      lease_until_ms INTEGER,
      ended_ms INTEGER,
      model TEXT,
      seconds_train REAL NOT NULL DEFAULT 0,
      validation_metric REAL NOT NULL DEFAULT 0,
      lineage TEXT NOT NULL DEFAULT '{}'
    ) STRICT;
    CREATE INDEX jobs_by_pipeline ON jobs (pipeline, number);
    CREATE INDEX jobs_by_state ON jobs (state);
    -- The rule that keeps two replicas from starting the same training twice.
    CREATE UNIQUE INDEX jobs_one_active ON jobs (pipeline) WHERE state IN ('queued', 'leased');

    CREATE TABLE points (
      job INTEGER NOT NULL REFERENCES jobs (number),
      attempt INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      progress REAL NOT NULL,
      epoch INTEGER NOT NULL,
      loss REAL,
      metric REAL
    ) STRICT;
    CREATE INDEX points_by_job ON points (job);

    CREATE TABLE verdicts (
      job INTEGER PRIMARY KEY REFERENCES jobs (number),
      pipeline TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      decision TEXT NOT NULL,
      reason TEXT NOT NULL,
      numbers TEXT NOT NULL           -- JSON, every number that the gate used
    ) STRICT;

    CREATE TABLE releases (
      pipeline TEXT NOT NULL,
      seq INTEGER NOT NULL,
      state TEXT NOT NULL,            -- judged, prepared, published
      model TEXT NOT NULL,
      job INTEGER,                    -- null for a rollback
      rollback_of INTEGER,            -- the seq whose file it names again
      note TEXT NOT NULL DEFAULT '',
      metric TEXT NOT NULL,
      metric_value REAL NOT NULL,
      goal_met INTEGER NOT NULL,
      judged_ms INTEGER NOT NULL,
      manifest TEXT,                  -- blob, from prepared on
      published_ms INTEGER,
      step INTEGER NOT NULL DEFAULT 0,        -- of the rollout
      halted TEXT NOT NULL DEFAULT '',        -- why the rollout stopped
      PRIMARY KEY (pipeline, seq)
    ) STRICT;
    )sql",

    // 2: a job hands in several files, and the gate may look twice
    R"sql(
    ALTER TABLE jobs ADD COLUMN trained TEXT;   -- JSON of wire::ModelFiles, when completed
    ALTER TABLE jobs ADD COLUMN fallback TEXT;  -- JSON of wire::ModelFiles, or null
    UPDATE jobs SET trained = json_object('model', model, 'validation_metric', validation_metric)
      WHERE model IS NOT NULL;
    ALTER TABLE jobs DROP COLUMN model;
    ALTER TABLE jobs DROP COLUMN validation_metric;

    ALTER TABLE verdicts ADD COLUMN first_look TEXT;                    -- JSON: decision, reason, numbers; or null
    ALTER TABLE verdicts ADD COLUMN exports TEXT NOT NULL DEFAULT '[]'; -- JSON: what became of each export

    ALTER TABLE releases ADD COLUMN exports TEXT NOT NULL DEFAULT '[]'; -- JSON of wire::ModelExport: what ships
    ALTER TABLE releases ADD COLUMN hints TEXT;                         -- blob, for the delta from its job's base
    )sql",

    // 3: what trainers log, and which release a job began from
    R"sql(
    CREATE TABLE job_logs (
      id INTEGER PRIMARY KEY,         -- in the order in which lines came
      job INTEGER NOT NULL REFERENCES jobs (number),
      attempt INTEGER NOT NULL,
      number INTEGER NOT NULL,        -- of the line, within the attempt
      at_ms INTEGER NOT NULL,
      text TEXT NOT NULL,
      UNIQUE (job, attempt, number)
    ) STRICT;
    ALTER TABLE jobs ADD COLUMN base_release INTEGER NOT NULL DEFAULT 0;  -- 0: none
    )sql",

    // 4: jobs that run programs of the user's, to train or to evaluate
    R"sql(
    ALTER TABLE jobs ADD COLUMN needs_commands INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'train';
    ALTER TABLE jobs ADD COLUMN subject INTEGER;   -- evaluate: the training job whose model it measures
    ALTER TABLE jobs ADD COLUMN candidate TEXT;    -- evaluate: that model; base is the deployed one
    ALTER TABLE jobs ADD COLUMN figures TEXT;      -- JSON of wire::EvaluatedModels, when completed
    CREATE INDEX jobs_by_subject ON jobs (subject) WHERE subject IS NOT NULL;
    DROP INDEX jobs_one_active;
    CREATE UNIQUE INDEX jobs_one_active ON jobs (pipeline, kind) WHERE state IN ('queued', 'leased');
    )sql",
};

}  // namespace

std::span<const char* const> all_migrations() {
  return kMigrations;
}

}  // namespace hone::cloud::sqlite
