/**
 * Vectors of what partners send each other: audits, negotiations, profiles, notices, records. Each gives the bytes and either what they say or the code of
 * the refusal; what is accepted is also written again, to the same bytes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { hexText, utf8Bytes } from '../../src/base/bytes.ts';
import { bytesIn, type Given, plain, readOnlyKinds, vectorKinds } from './partnership-kinds.ts';

interface Case {
  readonly name: string;
  readonly kind: string;
  /** Hexadecimal; what is drawn from is given in JSON. */
  readonly input: unknown;
  readonly given?: Given;
  readonly expected: { readonly says: unknown } | { readonly code: string };
}

const { cases } = JSON.parse(
  readFileSync(new URL('partnership.json', import.meta.url), 'utf8'),
) as {
  readonly cases: readonly Case[];
};

for (const { name, kind, input, given, expected } of cases) {
  const { read, write } = present(vectorKinds[kind], 'a kind that this test reads');
  test(`${kind}: ${name}`, () => {
    const bytes = typeof input === 'string' ? bytesIn(input) : utf8Bytes(JSON.stringify(input));
    const outcome = read(bytes, given ?? {});
    const found = outcome.ok ? { says: plain(outcome.value) } : { code: outcome.error.code };
    assert.deepEqual(found, expected);
  });
  if ('says' in expected && !readOnlyKinds.includes(kind))
    test(`${kind}: ${name}, written`, () => {
      assert.equal(hexText(write(expected.says as never, given ?? {})), input);
    });
}

test('every kind of message has a vector that is accepted and one that is refused', () => {
  for (const kind of Object.keys(vectorKinds)) {
    const ofKind = cases.filter((found) => found.kind === kind);
    const has = (part: string): boolean => ofKind.some(({ expected }) => part in expected);
    assert.ok(has('says') && has('code'), kind);
  }
});
