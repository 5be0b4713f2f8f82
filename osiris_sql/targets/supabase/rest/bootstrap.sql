-- osiris-sql: functions for atomic publishing over the REST API. Safe to run again.
-- Private tables in schema osiris; functions that only the secret key may call.
{ledger}
CREATE TABLE IF NOT EXISTS osiris.schemas (name text PRIMARY KEY);
INSERT INTO osiris.schemas VALUES {schemas} ON CONFLICT DO NOTHING;
COMMENT ON TABLE osiris.schemas IS 'Schemas whose tables may be published into over REST.';
-- A crash of the server empties it: the delivery then fails, and another one sends its rows again. Batches stand
-- a few to a page, as several workers share a table by its pages.
CREATE UNLOGGED TABLE IF NOT EXISTS osiris.staged (
    delivery uuid NOT NULL,
    seq int NOT NULL,
    n int NOT NULL,
    escaped boolean NOT NULL,
    rows text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (delivery, seq)
) WITH (fillfactor = 10, parallel_workers = 2);
ALTER TABLE osiris.staged ALTER COLUMN rows SET STORAGE EXTERNAL;
REVOKE ALL ON osiris.schemas, osiris.staged FROM PUBLIC;
-- Of versions 1 to 4; a delivery on its way through them fails, and may be repeated.
DROP TABLE IF EXISTS osiris.stage;
DROP FUNCTION IF EXISTS public.osiris_stage(uuid, int, jsonb), public.osiris_stage(uuid, int, text),
  osiris.fragments(uuid, text, jsonb, jsonb);

-- What these functions are: osiris-sql asks, and says when they must be installed again.
CREATE OR REPLACE FUNCTION public.osiris_version() RETURNS int
LANGUAGE sql SET search_path = '' AS 'SELECT {version}';

-- One batch of rows as text: U+0081 is between rows, U+007F comes before a field, U+0080 is NULL, U+0082 escapes
-- these. Before the first field stands a line: the delivery, the number of the batch, its rows, whether any is
-- escaped. What arrived is told in octets, which cost nothing to count; applying counts the rows.
-- A batch that is sent again replaces itself. Batches of a failed delivery go after a day.
CREATE OR REPLACE FUNCTION public.osiris_stage(text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' AS $osiris$
DECLARE
  v_line text[] := string_to_array(split_part(left($1, 80), E'\n', 1), ' ');
BEGIN
  IF v_line[2]::int = 0 THEN
    DELETE FROM osiris.staged WHERE at < now() - interval '1 day';
  END IF;
  INSERT INTO osiris.staged (delivery, seq, n, escaped, rows)
  VALUES (v_line[1]::uuid, v_line[2]::int, v_line[3]::int, v_line[4]::boolean, $1)
  ON CONFLICT (delivery, seq) DO UPDATE
  SET n = excluded.n, escaped = excluded.escaped, rows = excluded.rows, at = now();
  RETURN octet_length($1);
END $osiris$;

-- What the catalog and the ledger say of a table.
CREATE OR REPLACE FUNCTION public.osiris_table(p_schema text, p_table text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' AS $osiris$
DECLARE
  v_oid oid; v_kind text; v_rows bigint; v_last jsonb;
  v_target text := '"' || replace(p_schema, '"', '""') || '"."' || replace(p_table, '"', '""') || '"';
BEGIN
  IF NOT EXISTS (SELECT 1 FROM osiris.schemas WHERE name = p_schema) THEN
    RAISE EXCEPTION 'schema "%" is not open to osiris-sql', p_schema
      USING HINT = format('INSERT INTO osiris.schemas VALUES (%L)', p_schema);
  END IF;
  SELECT c.oid, c.relkind::text INTO v_oid, v_kind
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = p_schema AND c.relname = p_table AND c.relkind NOT IN ('i', 'I');
  IF v_oid IS NULL THEN
    RETURN NULL;
  END IF;
  IF v_kind IN ('r', 'p') THEN
    EXECUTE format('SELECT count(*) FROM %s', v_target) INTO v_rows;
  END IF;
  SELECT to_jsonb(p) INTO v_last FROM osiris.publications p WHERE p.target = v_target
  ORDER BY p.seq DESC LIMIT 1;
  RETURN jsonb_build_object(
    'kind', v_kind, 'rows', v_rows, 'last', v_last,
    -- Of each series of appended loads the last one, since the table was made or replaced.
    'series', (SELECT coalesce(jsonb_object_agg(name, load_id), '{}') FROM (
      SELECT DISTINCT ON (name) split_part(p.load_id, '.', 1) AS name, p.load_id
      FROM osiris.publications p WHERE p.target = v_target AND p.load_id LIKE '%.%'
        AND p.seq >= coalesce((SELECT max(l.seq) FROM osiris.publications l
          WHERE l.target = v_target AND (l.created OR l.mode IN ('replace', 'sync'))), 0)
      ORDER BY name, p.seq DESC) AS latest),
    'made_here', EXISTS (SELECT 1 FROM osiris.publications WHERE target = v_target AND created),
    'rules', (SELECT relhasrules FROM pg_catalog.pg_class WHERE oid = v_oid),
    'comment', coalesce(obj_description(v_oid, 'pg_class'), ''),
    'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', attname, 'type', format_type(atttypid, atttypmod), 'base', format_type(atttypid, -1), 'not_null', attnotnull,
        'has_default', atthasdef, 'generated', attgenerated, 'identity', attidentity,
        'comment', coalesce(col_description(v_oid, attnum), '')) ORDER BY attnum), '[]')
      FROM pg_catalog.pg_attribute WHERE attrelid = v_oid AND attnum > 0 AND NOT attisdropped),
    'uniques', (SELECT coalesce(jsonb_agg(jsonb_build_array(i.indisprimary,
        (SELECT jsonb_agg(a.attname ORDER BY k.o)
         FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(n, o)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
         WHERE k.o <= i.indnkeyatts))), '[]')
      FROM pg_catalog.pg_index i
      WHERE i.indrelid = v_oid AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL),
    'inbound', (SELECT coalesce(jsonb_agg(DISTINCT conrelid::regclass::text), '[]')
      FROM pg_catalog.pg_constraint WHERE confrelid = v_oid AND contype = 'f' AND conrelid <> confrelid),
    'triggers', (SELECT coalesce(jsonb_agg(tgname ORDER BY tgname), '[]') FROM pg_catalog.pg_trigger
      WHERE tgrelid = v_oid AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 1 = 1),
    'row_security', row_security_active(v_oid),
    'privileges', (SELECT coalesce(jsonb_agg(p), '[]')
      FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p WHERE has_table_privilege(v_oid, p)),
    'role', current_user);
END $osiris$;

-- The model's descriptions, where the table says something else.
CREATE OR REPLACE FUNCTION osiris.describe_table(p_target text, p_there jsonb, p_publication jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $osiris$
DECLARE
  c jsonb;
BEGIN
  IF p_publication->>'description' NOT IN ('', coalesce(p_there->>'comment', '')) THEN
    EXECUTE format('COMMENT ON TABLE %s IS %L', p_target, p_publication->>'description');
  END IF;
  FOR c IN SELECT * FROM jsonb_array_elements(p_publication->'columns') LOOP
    CONTINUE WHEN c->>'description' IN ('', coalesce((SELECT t->>'comment'
      FROM jsonb_array_elements(p_there->'columns') t WHERE t->>'name' = c->>'name'), ''));
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', p_target, c->>'name', c->>'description');
  END LOOP;
END $osiris$;

-- The table of a publication that is missing: typed, keyed, closed to anonymous readers.
CREATE OR REPLACE FUNCTION osiris.create_table(p_target text, p_publication jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $osiris$
DECLARE
  c jsonb; v_lines text := ''; v_key text;
BEGIN
  FOR c IN SELECT * FROM jsonb_array_elements(p_publication->'columns') LOOP
    PERFORM (c->>'type')::regtype;  -- a type and nothing else
    v_lines := concat_ws(', ', nullif(v_lines, ''), format('%I %s%s', c->>'name', c->>'type',
      CASE WHEN (c->>'required')::boolean THEN ' NOT NULL' ELSE '' END));
  END LOOP;
  SELECT string_agg(format('%I', k), ', ') INTO v_key FROM jsonb_array_elements_text(p_publication->'key') k;
  EXECUTE format('CREATE TABLE %s (%s%s)', p_target, v_lines, ', PRIMARY KEY (' || v_key || ')');
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO service_role', p_target);
  PERFORM osiris.describe_table(p_target, '{}', p_publication);
  NOTIFY pgrst, 'reload schema';
END $osiris$;

-- A table that a publication made, brought to the shape of its changed model; says whether it was made anew.
CREATE OR REPLACE FUNCTION osiris.fit_table(p_target text, p_there jsonb, p_publication jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $osiris$
DECLARE
  c record; v_change text := p_publication->>'on_schema_change';
BEGIN
  IF NOT (p_publication->>'create')::boolean OR NOT (p_there->>'made_here')::boolean THEN
    RETURN false;
  END IF;
  FOR c IN
    SELECT coalesce(w->>'name', t->>'name') AS name, (w->>'type')::text AS wanted, t->>'type' AS there
    FROM jsonb_array_elements(p_publication->'columns') w
    FULL JOIN jsonb_array_elements(p_there->'columns') t ON t->>'name' = w->>'name'
    WHERE w IS NULL AND t->>'generated' = '' AND t->>'identity' = ''
      OR t IS NULL OR w->>'type' <> t->>'type' AND t->>'generated' = ''
    ORDER BY t IS NULL DESC
  LOOP
    PERFORM c.wanted::regtype;  -- a type and nothing else
    IF c.there IS NULL THEN
      CONTINUE WHEN v_change = 'rebuild' AND (SELECT bool_or(w IS NULL OR w->>'type' <> t->>'type')
        FROM jsonb_array_elements(p_publication->'columns') w
        RIGHT JOIN jsonb_array_elements(p_there->'columns') t ON t->>'name' = w->>'name'
        WHERE t->>'generated' = '' AND (w IS NOT NULL OR t->>'identity' = ''));
      EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', p_target, c.name, c.wanted);
    ELSIF v_change = 'rebuild' THEN
      IF p_publication->>'mode' NOT IN ('replace', 'sync') THEN
        RAISE EXCEPTION 'a rebuild would lose rows' USING ERRCODE = 'OS001';
      END IF;
      EXECUTE format('DROP TABLE %s', p_target);
      PERFORM osiris.create_table(p_target, p_publication);
      RETURN true;
    ELSIF v_change = 'sync' AND c.wanted IS NULL THEN
      EXECUTE format('ALTER TABLE %s DROP COLUMN %I', p_target, c.name);
    ELSIF v_change = 'sync' THEN
      EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s USING %I::%s',
        p_target, c.name, c.wanted, c.name, c.wanted);
    END IF;
  END LOOP;
  PERFORM osiris.describe_table(p_target, p_there, p_publication);
  NOTIFY pgrst, 'reload schema';
  RETURN false;
END $osiris$;

-- The table of a publication, made or brought to its shape.
CREATE OR REPLACE FUNCTION osiris.ready_table(p_target text, p_publication jsonb,
  OUT there jsonb, OUT created boolean, OUT changed boolean)
LANGUAGE plpgsql SET search_path = '' AS $osiris$
DECLARE
  v_before jsonb := public.osiris_table(p_publication->>'schema', p_publication->>'table');
BEGIN
  IF v_before IS NULL THEN
    IF NOT (p_publication->>'create')::boolean THEN
      RAISE EXCEPTION 'table % does not exist', p_target USING ERRCODE = '42P01';
    END IF;
    PERFORM osiris.create_table(p_target, p_publication);
    created := true;
  ELSE
    created := osiris.fit_table(p_target, v_before, p_publication);
  END IF;
  there := public.osiris_table(p_publication->>'schema', p_publication->>'table');
  changed := created OR there->'columns' <> v_before->'columns';
END $osiris$;

-- What the statements of a delivery are put together from; `there` is the table as it will be.
CREATE OR REPLACE FUNCTION osiris.fragments(p_delivery uuid, p_target text, p_there jsonb, p_publication jsonb,
  OUT source text, OUT written text[], OUT columns text, OUT values_ text,
  OUT reading text, OUT staged text, OUT differs text, OUT fresh text, OUT gone text, OUT conflict text,
  OUT key text, OUT same_key text, OUT system text, OUT exact boolean)
LANGUAGE plpgsql STABLE SET search_path = '' AS $osiris$
DECLARE
  c jsonb; v_type text; v_base text; v_at int := 1; v_text text; setting text; table_side text; sent_side text;
  v_escaped boolean := EXISTS (SELECT 1 FROM osiris.staged WHERE delivery = p_delivery AND escaped);
BEGIN
  exact := false; system := ''; written := '{}';
  FOR c IN SELECT * FROM jsonb_array_elements(p_publication->'columns') LOOP
    PERFORM (c->>'type')::regtype;
    SELECT t->>'type', t->>'base' INTO v_type, v_base FROM jsonb_array_elements(p_there->'columns') t
    WHERE t->>'name' = c->>'name';
    IF v_type IS NULL THEN
      RAISE EXCEPTION 'column "%" of % does not exist', c->>'name', p_target USING ERRCODE = '42703';
    END IF;
    v_at := v_at + 1;
    -- A cast to varchar(3) would cut; one to varchar, with the assignment after it, refuses.
    reading := concat_ws(', ', reading, format(
      CASE WHEN v_escaped AND c->>'type' IN ('text', 'jsonb') THEN '(CASE WHEN strpos(a[%1$s], E''\u0082'') > 0 THEN replace('
        'replace(replace(replace(a[%1$s], E''\u0082f'', E''\u007f''), E''\u0082n'', E''\u0080''), E''\u0082r'','
        ' E''\u0081''), E''\u0082e'', E''\u0082'') ELSE a[%1$s] END)::%2$s AS %3$I' ELSE 'a[%1$s]::%2$s AS %3$I' END,
      v_at, CASE WHEN (c->>'nested')::boolean AND v_type LIKE '%[]' THEN 'jsonb'
        WHEN (c->>'exact')::boolean THEN c->>'type' ELSE v_base END, c->>'name'));
    exact := exact OR (c->>'exact')::boolean;
    CONTINUE WHEN EXISTS (SELECT 1 FROM jsonb_array_elements(p_there->'columns') t
      WHERE t->>'name' = c->>'name' AND t->>'generated' <> '');
    IF EXISTS (SELECT 1 FROM jsonb_array_elements(p_there->'columns') t
        WHERE t->>'name' = c->>'name' AND t->>'identity' = 'a') THEN
      system := ' OVERRIDING SYSTEM VALUE';
    END IF;
    written := written || (c->>'name');
    columns := concat_ws(', ', columns, format('%I', c->>'name'));
    values_ := concat_ws(', ', values_, CASE
      WHEN (c->>'nested')::boolean AND v_type LIKE '%[]' THEN format(
        '(jsonb_populate_record(NULL::%s, jsonb_build_object(%L, s.%I))).%I AS %I',
        p_target, c->>'name', c->>'name', c->>'name', c->>'name')
      WHEN (c->>'exact')::boolean THEN format('s.%I::%s AS %I', c->>'name', v_type, c->>'name')
      ELSE format('s.%I', c->>'name') END);
    CONTINUE WHEN p_publication->'key' ? (c->>'name');
    setting := concat_ws(', ', setting, format('%I = excluded.%I', c->>'name', c->>'name'));
    v_text := CASE WHEN v_type ~ '^(json|xml|point|line|lseg|box|path|polygon|circle)(\[\])?$'
      THEN '::text' ELSE '' END;
    table_side := concat_ws(', ', table_side, format('o.%I%s', c->>'name', v_text));
    sent_side := concat_ws(', ', sent_side, format('s.%I%s', c->>'name', v_text));
  END LOOP;
  SELECT string_agg(format('%I', k), ', '), string_agg(format('o.%I = s.%I', k, k), ' AND ')
  INTO key, same_key FROM jsonb_array_elements_text(p_publication->'key') k;

  -- What is volatile keeps the planner from splitting a row once for each of its fields; so would OFFSET 0,
  -- but not among several workers.
  source := format('(SELECT %s FROM (SELECT string_to_array(l, E''\u007f'', E''\u0080'') AS a, clock_timestamp()'
    ' FROM osiris.staged b, string_to_table(b.rows, E''\u0081'') AS l WHERE b.delivery = %L) AS split)',
    reading, p_delivery);
  staged := format('(SELECT %s FROM pg_temp.osiris_spool AS s) AS s', values_);
  differs := CASE WHEN key IS NULL OR table_side IS NULL OR p_publication->>'mode' = 'append' THEN 'false'
    ELSE format('ROW(%s) IS DISTINCT FROM ROW(%s)', table_side, sent_side) END;
  fresh := CASE WHEN key IS NULL THEN 'true' ELSE format(
    'NOT EXISTS (SELECT 1 FROM %s AS o WHERE %s AND NOT (%s))', p_target, same_key, differs) END;
  gone := CASE WHEN key IS NULL THEN 'true' ELSE format(
    'NOT EXISTS (SELECT 1 FROM %s WHERE %s)', staged, same_key) END;
  conflict := CASE WHEN key IS NULL THEN '' ELSE format(' ON CONFLICT (%s) DO %s', key,
    CASE WHEN setting IS NULL OR p_publication->>'mode' = 'append' THEN 'NOTHING' ELSE 'UPDATE SET ' || setting END) END;
END $osiris$;

-- The staged rows, typed, in a temporary table; says how many. Reading them as types is most of the work, so
-- workers share it where the server has some; by the index one alone would do it.
CREATE OR REPLACE FUNCTION osiris.spool_rows(p_source text) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' SET enable_indexscan = off SET max_parallel_workers_per_gather = 2
SET parallel_setup_cost = 0 SET parallel_tuple_cost = 0 AS $osiris$
DECLARE
  v_rows bigint;
BEGIN
  EXECUTE format('CREATE TEMP TABLE osiris_spool ON COMMIT DROP AS SELECT * FROM %s AS r', p_source);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  RETURN v_rows;
END $osiris$;

-- Values that the table would round are refused: each must come back from its type as it went in.
CREATE OR REPLACE FUNCTION osiris.refuse_inexact(p_source text, p_there jsonb, p_publication jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = '' AS $osiris$
DECLARE
  c jsonb; v_type text; v_found bigint; v_sample text;
BEGIN
  FOR c IN SELECT * FROM jsonb_array_elements(p_publication->'columns') t WHERE (t->>'exact')::boolean LOOP
    SELECT t->>'type' INTO v_type FROM jsonb_array_elements(p_there->'columns') t WHERE t->>'name' = c->>'name';
    EXECUTE format('SELECT count(*), min(%1$I::text) FROM %4$s AS s WHERE %1$I::%2$s::%3$s IS DISTINCT FROM %1$I',
      c->>'name', v_type, c->>'type', p_source) INTO v_found, v_sample;
    IF v_found > 0 THEN
      RAISE EXCEPTION '% values of % don''t fit % exactly', v_found, c->>'name', v_type
        USING ERRCODE = 'OS002', DETAIL = 'one of them: ' || v_sample;
    END IF;
  END LOOP;
END $osiris$;

-- Brings a staged delivery into its table: everything in one transaction, counted before it ends.
CREATE OR REPLACE FUNCTION public.osiris_apply(p_delivery uuid, p_load text, p_publication jsonb)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' SET lock_timeout = '20s'
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres' AS $osiris$
DECLARE
  v_mode text := p_publication->>'mode';
  v_rows bigint := (p_publication->>'rows')::bigint;
  v_target text := '"' || replace(p_publication->>'schema', '"', '""') || '"."'
                   || replace(p_publication->>'table', '"', '""') || '"';
  v_there jsonb; v_known osiris.publications; v_created boolean; v_changed boolean; f record; v_plain boolean;
  v_found bigint; v_before bigint; v_inserted bigint := 0; v_updated bigint := 0; v_deleted bigint := 0;
  v_total bigint; v_lost text;
BEGIN
  IF v_mode NOT IN ('append', 'upsert', 'replace', 'sync') THEN
    RAISE EXCEPTION 'unknown mode "%"', v_mode;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('osiris:' || v_target, 0));
  SELECT * INTO v_known FROM osiris.publications WHERE delivery = p_delivery;
  IF FOUND THEN
    RETURN to_jsonb(v_known);
  END IF;
  SELECT there, created, changed INTO v_there, v_created, v_changed FROM osiris.ready_table(v_target, p_publication);
  IF NOT v_changed AND (v_mode = 'append' AND EXISTS (SELECT 1 FROM osiris.publications p
      WHERE p.target = v_target AND p.load_id = p_load AND p.seq >= coalesce((SELECT max(l.seq)
        FROM osiris.publications l WHERE l.target = v_target
          AND (l.created OR l.mode IN ('replace', 'sync'))), 0))
    OR v_mode <> 'append' AND v_there#>>'{last,load_id}' = p_load
      AND v_there#>'{last,total_after}' = v_there->'rows') THEN
    DELETE FROM osiris.staged WHERE delivery = p_delivery;
    RETURN jsonb_build_object('already_applied', true, 'total_after', v_there->'rows');
  END IF;

  SELECT coalesce(sum(n), 0) INTO v_found FROM osiris.staged WHERE delivery = p_delivery;
  IF v_found <> v_rows THEN
    RAISE EXCEPTION '% rows were promised, % were staged', v_rows, v_found USING ERRCODE = 'OS001';
  END IF;
  IF v_rows = 0 AND v_mode IN ('replace', 'sync') AND NOT (p_publication->>'allow_empty')::boolean THEN
    RAISE EXCEPTION 'no rows to % the table with', v_mode USING ERRCODE = 'OS001';
  END IF;

  SELECT * INTO f FROM osiris.fragments(p_delivery, v_target, v_there, p_publication);
  v_before := (v_there->>'rows')::bigint;
  IF v_before = 0 AND v_mode IN ('append', 'upsert') THEN  -- nobody else may fill it meanwhile
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', v_target);
    EXECUTE format('SELECT count(*) FROM %s', v_target) INTO v_before;
  END IF;
  v_plain := v_there->'triggers' = '[]' AND NOT (v_there->>'rules')::boolean;
  v_found := osiris.spool_rows(f.source);
  IF v_found <> v_rows THEN
    RAISE EXCEPTION '% rows were promised, % were staged', v_rows, v_found USING ERRCODE = 'OS001';
  END IF;
  IF v_before > 0 THEN
    ANALYZE pg_temp.osiris_spool;
  END IF;
  PERFORM osiris.refuse_inexact('pg_temp.osiris_spool', v_there, p_publication);

  IF v_mode IN ('replace', 'sync') THEN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', v_target);
    EXECUTE format('SELECT count(*) FROM %s', v_target) INTO v_before;
  END IF;
  IF v_mode IN ('replace', 'sync') AND f.key IS NULL THEN
    IF jsonb_array_length(v_there->'inbound') > 0 THEN
      RAISE EXCEPTION 'foreign keys point at the table' USING ERRCODE = 'OS001';
    END IF;
    EXECUTE format('DELETE FROM %s WHERE true', v_target);
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
  ELSIF v_mode IN ('replace', 'sync') THEN
    EXECUTE format('SELECT count(*) FROM %s AS o WHERE %s', v_target, f.gone) INTO v_found;
    IF v_found > (p_publication->>'max_deleted')::numeric * v_before AND v_rows > 0 THEN
      RAISE EXCEPTION '% of % rows would be deleted', v_found, v_before USING ERRCODE = 'OS003',
        DETAIL = format('max_deleted is %s of the rows; %s rows were sent',
                        p_publication->>'max_deleted', v_rows);
    END IF;
    IF v_found > 0 THEN
      EXECUTE format('DELETE FROM %s AS o WHERE %s', v_target, f.gone);
      GET DIAGNOSTICS v_deleted = ROW_COUNT;
    END IF;
  END IF;

  IF f.key IS NULL THEN
    EXECUTE format('INSERT INTO %s (%s)%s SELECT %s FROM %s',
      v_target, f.columns, f.system, f.columns, f.staged);
    GET DIAGNOSTICS v_inserted = ROW_COUNT;
    v_found := v_inserted;
  ELSE
    IF v_before = 0 THEN
      v_inserted := v_rows;
    ELSE
      EXECUTE format('SELECT count(*) FILTER (WHERE o.tableoid IS NULL),'
        ' count(*) FILTER (WHERE o.tableoid IS NOT NULL AND %s) FROM %s LEFT JOIN %s AS o ON %s',
        f.differs, f.staged, v_target, f.same_key) INTO v_inserted, v_updated;
    END IF;
    EXECUTE format('INSERT INTO %s (%s)%s SELECT %s FROM %s WHERE %s%s',
      v_target, f.columns, f.system, f.columns, f.staged, CASE WHEN v_before = 0 THEN 'true' ELSE f.fresh END,
      CASE WHEN v_before > 0 OR NOT v_plain THEN f.conflict END);
    GET DIAGNOSTICS v_found = ROW_COUNT;
    v_found := v_rows - v_inserted - v_updated + v_found;
    IF NOT v_plain THEN  -- what a trigger did to the rows shows only in the table
      v_updated := v_found - (v_rows - v_inserted);
      EXECUTE format('SELECT %s - count(*), ''one lost or changed: '' || min(%s) || ''; '' FROM %s WHERE %s',
        v_rows, osiris.words(p_publication, 's'), f.staged, f.fresh) INTO v_found, v_lost;
    END IF;
  END IF;
  EXECUTE format('SELECT count(*) FROM %s', v_target) INTO v_total;
  IF v_found <> v_rows OR v_mode IN ('replace', 'sync') AND v_total <> v_rows THEN
    RAISE EXCEPTION '% rows were sent, but % of them and % rows in all were found', v_rows, v_found, v_total
      USING ERRCODE = 'OS001', DETAIL = concat(v_lost, 'row triggers on the table: ',
        (SELECT string_agg(t, ', ') FROM jsonb_array_elements_text(v_there->'triggers') AS t));
  END IF;
  INSERT INTO osiris.publications (delivery, load_id, run_id, step, target, mode, fingerprint, created,
    rows_in, inserted, updated, unchanged, deleted, total_after)
  VALUES (p_delivery, p_load, p_publication->>'run', p_publication->>'step', v_target, v_mode,
    p_publication->>'fingerprint', v_created, v_rows, v_inserted, v_updated,
    v_rows - v_inserted - v_updated, v_deleted, v_total)
  RETURNING * INTO v_known;
  DELETE FROM osiris.staged WHERE delivery = p_delivery;
  RETURN to_jsonb(v_known);
END $osiris$;

-- The expression that names a row by its key, or by its first columns: `id = 4`.
CREATE OR REPLACE FUNCTION osiris.words(p_publication jsonb, p_row text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $osiris$
  SELECT format('left(concat(%s), 500)', string_agg(format('%L, %s.%I', CASE n WHEN 1 THEN '' ELSE ', ' END
    || name || ' = ', p_row, name), ', ' ORDER BY n))
  FROM jsonb_array_elements_text(CASE p_publication->'key' WHEN '[]' THEN jsonb_path_query_array(
    p_publication, '$.columns[0 to 2].name') ELSE p_publication->'key' END) WITH ORDINALITY AS k(name, n)
$osiris$;

-- Does something with each row; the error of the first that is refused names it. Where rows refer to each other,
-- one by itself may be refused that is not among all of them.
CREATE OR REPLACE FUNCTION osiris.try_each(p_rows text, p_action text, p_which text, p_words text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $osiris$
BEGIN
  EXECUTE format('DO %L', format('DECLARE osiris_row record; osiris_read record; osiris_broken text; BEGIN'
    ' FOR osiris_row IN %s LOOP %s; END LOOP;'
    ' EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS osiris_broken = CONSTRAINT_NAME;'
    ' IF EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conname = osiris_broken AND contype = ''f'''
    ' AND conrelid = confrelid) THEN RAISE; END IF;'
    ' RAISE EXCEPTION USING ERRCODE = ''OS004'', MESSAGE = SQLSTATE || '' '' || osiris_broken,'
    ' DETAIL = %L || %s; END', p_rows, p_action, p_which, p_words));
END $osiris$;

-- Which row of a staged delivery is refused: they are read, deleted and written one by one, in the order of the
-- key, and the error that comes of it takes everything back.
CREATE OR REPLACE FUNCTION public.osiris_offender(p_delivery uuid, p_publication jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' SET lock_timeout = '20s'
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres' AS $osiris$
DECLARE
  v_target text := '"' || replace(p_publication->>'schema', '"', '""') || '"."'
                   || replace(p_publication->>'table', '"', '""') || '"';
  v_there jsonb; f record; v_words text := osiris.words(p_publication, 'osiris_row'); v_order text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('osiris:' || v_target, 0));
  SELECT there INTO v_there FROM osiris.ready_table(v_target, p_publication);
  SELECT * INTO f FROM osiris.fragments(p_delivery, v_target, v_there, p_publication);
  SELECT string_agg(format('r.%I%s', w, CASE WHEN f.key IS NULL THEN '::text' ELSE '' END), ', ' ORDER BY o)
  INTO v_order FROM unnest(CASE WHEN f.key IS NULL THEN f.written ELSE ARRAY(
    SELECT jsonb_array_elements_text(p_publication->'key')) END) WITH ORDINALITY AS k(w, o);
  SET CONSTRAINTS ALL IMMEDIATE;
  PERFORM osiris.try_each(
    format('SELECT a AS osiris_fields, %s FROM (SELECT * FROM osiris.staged WHERE delivery = %L ORDER BY seq) AS b,'
      ' string_to_table(b.rows, E''\u0081'') AS l, string_to_array(l, E''\u007f'', E''\u0080'') AS a',
      (SELECT string_agg(format('a[%s] AS %I', n + 1, c->>'name'), ', ')
       FROM jsonb_array_elements(p_publication->'columns') WITH ORDINALITY AS k(c, n)), p_delivery),
    format('SELECT %s INTO osiris_read FROM (SELECT osiris_row.osiris_fields AS a) AS split', f.reading),
    'the row with ', v_words);
  PERFORM osiris.spool_rows(f.source);
  IF p_publication->>'mode' IN ('replace', 'sync') THEN
    PERFORM osiris.try_each(
      format('SELECT * FROM (SELECT o.*, o.ctid AS osiris_at, o.tableoid AS osiris_of FROM %s AS o WHERE %s) AS r'
        ' ORDER BY %s', v_target, f.gone, v_order),
      format('DELETE FROM %s AS o WHERE o.ctid = osiris_row.osiris_at AND o.tableoid = osiris_row.osiris_of', v_target),
      'the row to be deleted with ', v_words);
  END IF;
  PERFORM osiris.try_each(
    format('SELECT * FROM (SELECT * FROM %s WHERE %s) AS r ORDER BY %s', f.staged, f.fresh, v_order),
    format('INSERT INTO %s (%s)%s VALUES (%s)%s', v_target, f.columns, f.system,
      (SELECT string_agg(format('osiris_row.%I', w), ', ' ORDER BY o) FROM unnest(f.written) WITH ORDINALITY AS k(w, o)),
      f.conflict),
    'the row with ', v_words);
  RAISE EXCEPTION 'no row is refused by itself' USING ERRCODE = 'OS005';
END $osiris$;

-- What applying a staged delivery would change, counted and with the first rows of each kind. A stable function:
-- PostgreSQL itself refuses every write in it, and the REST server runs it in a read-only transaction.
CREATE OR REPLACE FUNCTION public.osiris_compare(p_delivery uuid, p_publication jsonb, p_samples int) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s'
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres' AS $osiris$
DECLARE
  v_mode text := p_publication->>'mode';
  v_kinds text := CASE v_mode WHEN 'append' THEN 'i' WHEN 'upsert' THEN 'iu' ELSE 'iud' END;
  v_target text := '"' || replace(p_publication->>'schema', '"', '""') || '"."'
                   || replace(p_publication->>'table', '"', '""') || '"';
  v_there jsonb := public.osiris_table(p_publication->>'schema', p_publication->>'table');
  v_wanted jsonb; f record; v_found bigint; v_seen text; v_sent text; v_pairs text; v_kind text; v_letter text;
  v_rows jsonb; v_samples jsonb := '[]'; v_counts jsonb := '{}';
BEGIN
  SELECT coalesce(sum(n), 0) INTO v_found FROM osiris.staged WHERE delivery = p_delivery;
  IF v_found <> (p_publication->>'rows')::bigint THEN
    RAISE EXCEPTION '% rows were promised, % were staged', p_publication->>'rows', v_found USING ERRCODE = 'OS001';
  END IF;
  SELECT jsonb_build_object('columns', jsonb_agg(coalesce(t, jsonb_build_object('name', c->>'name',
    'type', c->>'type', 'base', c->>'type', 'generated', '', 'identity', '')))) INTO v_wanted
  FROM jsonb_array_elements(p_publication->'columns') c LEFT JOIN jsonb_array_elements(v_there->'columns') t
    ON t->>'name' = c->>'name' AND NOT (c->>'changed')::boolean;
  SELECT * INTO f FROM osiris.fragments(p_delivery, v_target, v_wanted, p_publication);
  PERFORM osiris.refuse_inexact(f.source, v_wanted, p_publication);

  SELECT string_agg(CASE WHEN t IS NULL THEN format('NULL::%s AS %I', w->>'type', w->>'name')
    ELSE format('o.%1$I::%2$s AS %1$I', w->>'name', w->>'type') END, ', ') INTO v_seen
  FROM jsonb_array_elements(v_wanted->'columns') w LEFT JOIN jsonb_array_elements(v_there->'columns') t
    ON t->>'name' = w->>'name';
  v_sent := format('(SELECT %s, true AS osiris_here FROM %s AS s) AS s', f.values_, f.source);
  IF (p_publication->>'anew')::boolean THEN
    v_there := NULL;
  END IF;
  -- A table that is not there, or to be made anew, is an empty one.
  v_pairs := format('%s %s JOIN %s ON %s', v_sent, CASE WHEN v_kinds = 'iud' THEN 'FULL' ELSE 'LEFT' END,
    CASE WHEN v_there IS NULL THEN format('(SELECT *, 0 AS osiris_of FROM %s LIMIT 0) AS o', v_sent)
      ELSE format('(SELECT %s, o.tableoid AS osiris_of FROM %s AS o) AS o', v_seen, v_target) END,
    CASE WHEN v_mode = 'replace' OR f.key IS NOT NULL THEN coalesce(f.same_key, '1 = 2') ELSE '1 = 2' END);
  v_kind := format('CASE WHEN o.osiris_of IS NULL THEN ''i'' WHEN s.osiris_here IS NULL THEN ''d'' WHEN %s THEN ''u'' END',
    f.differs);
  EXECUTE format('SELECT jsonb_object_agg(kind, rows) FROM (SELECT %s AS kind, count(*) AS rows FROM %s GROUP BY 1) AS d'
    ' WHERE strpos(%L, kind) > 0', v_kind, v_pairs, v_kinds) INTO v_counts;
  FOREACH v_letter IN ARRAY ARRAY['i', 'u', 'd'] LOOP
    CONTINUE WHEN v_counts->v_letter IS NULL;
    EXECUTE format('SELECT jsonb_agg(x) FROM (SELECT jsonb_build_object(''kind'', %1$L, ''after'', to_jsonb(a),'
      ' ''before'', to_jsonb(b)) AS x FROM %2$s, LATERAL (SELECT %3$s) AS a, LATERAL (SELECT %4$s) AS b'
      ' WHERE %5$s = %1$L ORDER BY %6$s LIMIT %7$s) AS z', v_letter, v_pairs,
      (SELECT string_agg(format('s.%1$I::text AS %1$I', w), ', ') FROM unnest(f.written) AS w),
      (SELECT string_agg(format('o.%1$I::text AS %1$I', w), ', ') FROM unnest(f.written) AS w), v_kind,
      (SELECT string_agg(format('%s.%I', CASE v_letter WHEN 'd' THEN 'o' ELSE 's' END, w)
         || CASE WHEN f.key IS NULL THEN '::text' ELSE '' END, ', ' ORDER BY o)
       FROM unnest(CASE WHEN f.key IS NULL THEN f.written ELSE ARRAY(
         SELECT jsonb_array_elements_text(p_publication->'key')) END) WITH ORDINALITY AS k(w, o)),
      p_samples) INTO v_rows;
    v_samples := v_samples || coalesce(v_rows, '[]');
  END LOOP;
  RETURN jsonb_build_object('inserted', coalesce(v_counts->'i', '0'), 'updated', coalesce(v_counts->'u', '0'),
    'deleted', coalesce(v_counts->'d', '0'), 'total_before', coalesce(v_there->'rows', '0'), 'samples', v_samples);
END $osiris$;

-- Takes the staged rows of a delivery away that will not be applied.
CREATE OR REPLACE FUNCTION public.osiris_discard(p_delivery uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' AS $osiris$
BEGIN
  DELETE FROM osiris.staged WHERE delivery = p_delivery;
  RETURN 0;
END $osiris$;

-- What a delivery counted, and the rows of its table now.
CREATE OR REPLACE FUNCTION public.osiris_receipt(p_delivery uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET statement_timeout = '55s' AS $osiris$
DECLARE
  v_known osiris.publications; v_total bigint;
BEGIN
  SELECT * INTO v_known FROM osiris.publications WHERE delivery = p_delivery;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT count(*) FROM %s', v_known.target) INTO v_total;
  RETURN to_jsonb(v_known) || jsonb_build_object('total_after', v_total);
END $osiris$;

REVOKE ALL ON FUNCTION osiris.create_table(text, jsonb), osiris.describe_table(text, jsonb, jsonb),
  osiris.fit_table(text, jsonb, jsonb), osiris.fragments(uuid, text, jsonb, jsonb),
  osiris.spool_rows(text), osiris.refuse_inexact(text, jsonb, jsonb), osiris.ready_table(text, jsonb),
  osiris.words(jsonb, text), osiris.try_each(text, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.osiris_version(), public.osiris_stage(text), public.osiris_table(text, text),
  public.osiris_apply(uuid, text, jsonb), public.osiris_compare(uuid, jsonb, int), public.osiris_discard(uuid),
  public.osiris_receipt(uuid), public.osiris_offender(uuid, jsonb) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION public.osiris_version(), public.osiris_stage(text), public.osiris_table(text, text),
  public.osiris_apply(uuid, text, jsonb), public.osiris_compare(uuid, jsonb, int), public.osiris_discard(uuid),
  public.osiris_receipt(uuid), public.osiris_offender(uuid, jsonb) TO service_role;
NOTIFY pgrst, 'reload schema';
