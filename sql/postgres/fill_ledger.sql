-- Fills in what is known of migrations that were applied before the ledger had room for it.
update hx.migration m
set semantic_hash = f.semantic_hash, mode = f.mode, fingerprint_before = f.fingerprint_before,
  fingerprint_after = f.fingerprint_after, plan_hash = f.plan_hash
from jsonb_to_recordset($1::text::jsonb) as f (
  number integer, semantic_hash text, mode text, fingerprint_before text, fingerprint_after text, plan_hash text
)
where m.number = f.number and m.fingerprint_after is null
