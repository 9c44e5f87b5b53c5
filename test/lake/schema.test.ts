import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FIELD_IDS, LAKE_COLUMNS, parquetSchema } from '../../src/lake/files/schema.js';

const test = suite('lake schema');

test('field ids are of whole columns, and stay what they were when a column was new', () => {
  const ids = [...FIELD_IDS.values()];
  assert.equal(
    ids,
    Array.from({ length: LAKE_COLUMNS.length }, (_, index) => index + 1),
  );
  const known = { run_id: 1, claim_hash: 5, counts_by_template_json: 53, was_cached: 54, cached_from: 55 };
  const added = { lane: 56, prob_true_logprob: 57, model_changed: 61, revision: 62, deleted_at: 63 };
  for (const [name, id] of Object.entries({ ...known, ...added })) assert.is(FIELD_IDS.get(name), id, name);
  for (const { name, field_id } of parquetSchema().slice(1)) assert.is(field_id, FIELD_IDS.get(name));
});

test.run();
