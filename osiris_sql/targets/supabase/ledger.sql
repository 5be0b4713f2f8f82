CREATE SCHEMA IF NOT EXISTS osiris;
REVOKE ALL ON SCHEMA osiris FROM PUBLIC;
CREATE TABLE IF NOT EXISTS osiris.publications (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery uuid NOT NULL UNIQUE,
    load_id text NOT NULL,
    run_id text NOT NULL,
    step text NOT NULL,
    target text NOT NULL,
    mode text NOT NULL,
    fingerprint text NOT NULL,
    created boolean NOT NULL,
    rows_in bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    deleted bigint NOT NULL,
    total_after bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS publications_target_seq ON osiris.publications (target, seq);
REVOKE ALL ON osiris.publications FROM PUBLIC;
COMMENT ON TABLE osiris.publications IS 'What osiris-sql delivered, written with the rows.';
