"""Type `supabase`: tables of a Supabase project, over its Postgres connection."""

from osiris_sql.targets.supabase.target import Supabase

PLUGIN = Supabase
