import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { uvu } from 'uvu';
import * as assert from 'uvu/assert';
import type { LakeStorage } from '../../../src/lake/storage/storage.js';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export async function textOf(storage: LakeStorage, name: string): Promise<string | undefined> {
  const found = await storage.read(name);
  return found === undefined ? undefined : new TextDecoder().decode(found.bytes);
}

/** Writes a file by way of `stage`. */
export async function publish(storage: LakeStorage, name: string, text: string) {
  const staged = await storage.stage(name);
  await writeFile(staged.path, text);
  return staged.publish();
}

/** What every place of the lake's files must do, whatever it is made of. */
export function testContract<State extends { storage: LakeStorage }>(test: uvu.Test<State>): void {
  test('a name is taken once, by putIfAbsent or by a staged file, and the first content stays', async ({
    storage,
  }) => {
    assert.is(await textOf(storage, 'local/_hx/a.json'), undefined);
    assert.ok(await storage.putIfAbsent('local/_hx/a.json', bytesOf('first')));
    assert.not.ok(await storage.putIfAbsent('local/_hx/a.json', bytesOf('second')));
    assert.equal(await publish(storage, 'local/_hx/a.json', 'third one'), { bytes: 9, present: true });
    assert.is(await textOf(storage, 'local/_hx/a.json'), 'first');
    assert.equal(await publish(storage, 'local/dt=2026-11-01/x.parquet', 'whole'), {
      bytes: 5,
      present: false,
    });
    assert.not.ok(await storage.putIfAbsent('local/dt=2026-11-01/x.parquet', bytesOf('late')));
    assert.is(await textOf(storage, 'local/dt=2026-11-01/x.parquet'), 'whole');
  });

  test('many files go at once, those that are not there among them', async ({ storage }) => {
    const names = Array.from(
      { length: 20 },
      (_, number) => `local/dt=2026-11-0${1 + (number % 2)}/${number}`,
    );
    for (const name of names) await storage.putIfAbsent(name, bytesOf(name));
    await storage.putIfAbsent('local/stays', bytesOf('x'));
    await storage.removeAll([...names, 'local/never/was']);
    assert.equal(
      (await storage.list('local')).map(({ name }) => name),
      ['local/stays'],
    );
  });

  test('of twenty writers of one name exactly one gets it, and its content is whole', async ({ storage }) => {
    const texts = Array.from({ length: 20 }, (_, number) => `${number} `.repeat(20_000));
    const got = await Promise.all(
      texts.map(async (text, number) =>
        number % 2 === 0
          ? storage.putIfAbsent('local/_hx/race.json', bytesOf(text))
          : !(await publish(storage, 'local/_hx/race.json', text)).present,
      ),
    );
    assert.is(got.filter(Boolean).length, 1);
    assert.is(await textOf(storage, 'local/_hx/race.json'), texts[got.indexOf(true)]);
  });

  test('a replacement needs the tag of what it replaces', async ({ storage }) => {
    const name = 'local/_hx/manifest.json';
    const first = await storage.replace(name, bytesOf('one'), undefined);
    assert.type(first, 'string');
    assert.is((await storage.read(name))?.tag, first);
    assert.is(await storage.replace(name, bytesOf('two'), undefined), undefined);
    const second = await storage.replace(name, bytesOf('two'), first);
    assert.type(second, 'string');
    assert.is(await storage.replace(name, bytesOf('three'), first), undefined);
    assert.is(await textOf(storage, name), 'two');
    assert.ok(await storage.remove(name));
    assert.is(await storage.replace(name, bytesOf('three'), second), undefined);
    assert.is(await textOf(storage, name), undefined);
  });

  test('of ten writers that add to one file at once none is lost', async ({ storage }) => {
    const name = 'local/_hx/list.json';
    const add = async (number: number) => {
      for (;;) {
        const found = await storage.read(name);
        const list: number[] = found === undefined ? [] : JSON.parse(new TextDecoder().decode(found.bytes));
        const grown = bytesOf(JSON.stringify([...list, number]));
        if ((await storage.replace(name, grown, found?.tag)) !== undefined) return;
      }
    };
    const numbers = Array.from({ length: 10 }, (_, number) => number);
    await Promise.all(numbers.map(add));
    const list: number[] = JSON.parse((await textOf(storage, name)) ?? '');
    assert.equal(
      list.sort((one, other) => one - other),
      numbers,
    );
  });

  test('list gives every published file below a folder with its size, and nothing under way', async ({
    storage,
  }) => {
    assert.equal(await storage.list(''), []);
    assert.equal(await storage.list('local'), []);
    const names = [
      'local/_hx/commits/0-0-10.json',
      'local/dt=2026-11-01/r-s3-1.parquet',
      'local/dt=2026-11-01/r-s3-2 & ü+%2F.parquet',
      'local/dt=2026-11-02/r-s3-3.parquet',
      'local2/dt=2026-11-02/r-s3-4.parquet',
    ];
    for (const [index, name] of names.entries()) await storage.putIfAbsent(name, new Uint8Array(index));
    const pending = await storage.stage('local/dt=2026-11-02/r-s3-5.parquet');
    const sizes = (list: readonly { name: string; bytes: number }[]) =>
      Object.fromEntries(list.map(({ name, bytes }) => [name, bytes]));
    const all = Object.fromEntries(names.map((name, index) => [name, index]));
    assert.equal(sizes(await storage.list('')), all);
    const { [names[4] ?? '']: _other, ...local } = all;
    assert.equal(sizes(await storage.list('local')), local);
    assert.equal(await storage.list('local/'), await storage.list('local'));
    assert.equal(
      (await storage.list('local/dt=2026-11-01')).map(({ name }) => name),
      names.slice(1, 3).sort(),
    );
    assert.equal((await storage.read(names[2] ?? ''))?.bytes.byteLength, 2);
    await pending.discard();
    await pending.discard();
  });

  test('open gives a path to read the content from, until it is released', async ({ storage }) => {
    assert.is(await storage.open('local/dt=2026-11-01/x.parquet'), undefined);
    await publish(storage, 'local/dt=2026-11-01/x.parquet', 'content');
    const opened = await storage.open('local/dt=2026-11-01/x.parquet');
    assert.is(readFileSync(opened?.path ?? '', 'utf8'), 'content');
    await opened?.release();
    assert.is(await textOf(storage, 'local/dt=2026-11-01/x.parquet'), 'content');
  });

  test('remove says whether there was a file, and the name is free again', async ({ storage }) => {
    await storage.putIfAbsent('local/dt=2026-11-01/x.parquet', bytesOf('x'));
    assert.ok(await storage.remove('local/dt=2026-11-01/x.parquet'));
    assert.not.ok(await storage.remove('local/dt=2026-11-01/x.parquet'));
    assert.ok(await storage.putIfAbsent('local/dt=2026-11-01/x.parquet', bytesOf('y')));
  });

  test('a large file comes back byte for byte', async ({ storage }) => {
    const text = Array.from({ length: 400_000 }, (_, index) => `line ${index}\n`).join('');
    const { bytes } = await publish(storage, 'local/dt=2026-11-01/big.parquet', text);
    const read = (await storage.read('local/dt=2026-11-01/big.parquet'))?.bytes ?? new Uint8Array();
    assert.is(read.byteLength, bytes);
    const hash = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');
    assert.is(hash(read), hash(text));
  });
}
