import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { utf8Bytes } from '../../base/bytes.ts';
import { instant } from '../../base/units.ts';
import { sha256 } from '../../primitives/hash.ts';
import type { PeerId } from '../vocabulary/ids.ts';
import { encodeKeyFile, keyFileIsWrapped, openKeyFile } from './key-file.ts';
import { kitJson, kitOf, parseKit } from './kit.ts';
import { seedOf, wordsOf } from './words.ts';

const seed = sha256(utf8Bytes('root'));
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
const words = wordsOf(seed);
const kit = kitOf(seed, {
  name: 'laptop',
  partners: [
    { peer: 'ab'.repeat(32) as PeerId, name: 'attic', addresses: ['/ip4/192.0.2.7/tcp/4747'] },
  ],
  floor: { incarnation: 1, sequence: 42 },
  createdAt: instant(1_800_000_000_000),
});

function kitCodeOf(text: string): string {
  const outcome = parseKit(text);
  return outcome.ok ? 'accepted' : outcome.error.code;
}

/** The kit's JSON with some of its fields changed. */
function changedKit(change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...JSON.parse(kitJson(kit)), ...change });
}

test('a seed comes back from its 24 words', () => {
  fc.assert(
    fc.property(seeds, (value) => {
      assert.equal(wordsOf(value).length, 24);
      assert.deepEqual(seedOf(wordsOf(value).join(' ')), { ok: true, value });
    }),
    { numRuns: 30 },
  );
});

test('words are those of BIP-39', () => {
  const zeros = wordsOf(new Uint8Array(32));
  assert.equal(zeros.join(' '), `${'abandon '.repeat(23)}art`);
});

test('numbers, capitals, punctuation and line breaks around words are forgiven', () => {
  const written = [
    words.map((word, index) => `${index + 1}. ${word.toUpperCase()}`).join('\n'),
    words.map((word, index) => `${index + 1}.${word}`).join('  '),
    words.map((word, index) => `(${index + 1}) ${word},`).join('\r\n\t'),
    `\n  ${words.join(' , ')} .`,
  ];
  for (const text of written) assert.deepEqual(seedOf(text), { ok: true, value: seed }, text);
});

test('a wrong number of words is counted', () => {
  assert.deepEqual(seedOf(words.slice(1).join(' ')), {
    ok: false,
    error: { code: 'words.wrong-count', count: 23 },
  });
  assert.deepEqual(seedOf(''), { ok: false, error: { code: 'words.wrong-count', count: 0 } });
});

test('a word that does not exist is named, with the nearest that does', () => {
  const zeros = wordsOf(new Uint8Array(32));
  zeros[4] = 'abadnon';
  assert.deepEqual(seedOf(zeros.join(' ')), {
    ok: false,
    error: {
      code: 'words.unknown-word',
      position: 5,
      word: 'abadnon',
      suggestion: 'abandon',
    },
  });
});

test('words in another order fail their checksum', () => {
  const zeros = wordsOf(new Uint8Array(32));
  zeros[0] = 'zoo';
  assert.deepEqual(seedOf(zeros.join(' ')), { ok: false, error: { code: 'words.bad-checksum' } });
});

test('C29: a kit comes back from its JSON with the seed', () => {
  assert.deepEqual(parseKit(kitJson(kit)), { ok: true, value: { kit, rootSeed: seed } });
  const { floor, ...early } = kit;
  assert.equal(floor?.sequence, 42);
  assert.deepEqual(parseKit(kitJson(early)), { ok: true, value: { kit: early, rootSeed: seed } });
});

test('a kit that is not one, of a later version, or of mixed origin is refused', () => {
  assert.equal(kitCodeOf(''), 'kit.malformed');
  assert.equal(kitCodeOf('{}'), 'kit.malformed');
  assert.equal(kitCodeOf(kitJson(kit).slice(0, 100)), 'kit.malformed');
  assert.equal(kitCodeOf(changedKit({ more: 1 })), 'kit.malformed');
  assert.equal(kitCodeOf(changedKit({ version: 2 })), 'kit.unknown-version');
  assert.equal(kitCodeOf(changedKit({ owner: 'ab'.repeat(32) })), 'kit.wrong-owner');
  assert.equal(kitCodeOf(changedKit({ words: [...words.slice(1), 'zzz'] })), 'words.unknown-word');
  const partner = { peer: 'ab'.repeat(32), addresses: ['http://example.org/'] };
  assert.equal(kitCodeOf(changedKit({ partners: [partner] })), 'kit.malformed');
});

const light = { salt: new Uint8Array(16).fill(1), memoryKib: 8_192, passes: 1, lanes: 1 };

test('a key file without passphrase opens as it is', () => {
  const file = encodeKeyFile(seed, undefined);
  for (let at = 0; at < file.length; at += 1) {
    const changed = file.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(openKeyFile(changed, undefined).ok, false, `byte ${at}`);
  }
  assert.deepEqual(keyFileIsWrapped(file), { ok: true, value: false });
  assert.deepEqual(openKeyFile(file, undefined), { ok: true, value: seed });
});

test('a wrapped key file opens with its passphrase only', () => {
  const file = encodeKeyFile(seed, { passphrase: 'gru\u0308n', parameters: light });
  assert.equal(Buffer.from(file).includes(Buffer.from(seed)), false);
  assert.deepEqual(keyFileIsWrapped(file), { ok: true, value: true });
  assert.deepEqual(openKeyFile(file, 'gr\u00fcn'), { ok: true, value: seed });
  assert.deepEqual(openKeyFile(file, 'grau'), {
    ok: false,
    error: { code: 'key.wrong-passphrase' },
  });
  assert.deepEqual(openKeyFile(file, undefined), {
    ok: false,
    error: { code: 'key.passphrase-needed' },
  });
});

test('a wrapped key file with any byte changed does not open', () => {
  const file = encodeKeyFile(seed, { passphrase: 'secret', parameters: light });
  for (let at = 0; at < file.length; at += 1) {
    const changed = new Uint8Array(file);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    assert.equal(openKeyFile(changed, 'secret').ok, false, `byte ${at}`);
    assert.equal(openKeyFile(file.subarray(0, at), 'secret').ok, false);
  }
});

test('a forged key file cannot ask for endless work', () => {
  const file = encodeKeyFile(seed, { passphrase: 'secret', parameters: light });
  const passesAt = Buffer.from(file).indexOf(Buffer.from([0x19, 0x20, 0x00, 0x01, 0x01])) + 3;
  const costly = new Uint8Array(file);
  costly[passesAt] = 17;
  const outcome = openKeyFile(costly, 'secret');
  assert.equal(!outcome.ok && outcome.error.code, 'document.bad-field');
});
