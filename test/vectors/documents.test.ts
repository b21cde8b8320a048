/**
 * Vectors of the documents in docs/format.md: trees, snapshots, index segments, agreements, acknowledgements, manifests, receipts, invite
 * codes, key files. Each gives the bytes and either what they say or the code of the refusal.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type Bytes, hexBytes, hexText } from '../../src/base/bytes.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { readEntry } from '../../src/core/agreements/acknowledgement.ts';
import { decodeSignedAgreement, verifyAgreement } from '../../src/core/agreements/agreement.ts';
import { parseInvitation } from '../../src/core/agreements/invitation.ts';
import { IndexReading } from '../../src/core/manifest/index-segment.ts';
import { openManifest } from '../../src/core/manifest/manifest.ts';
import { readReceipt } from '../../src/core/manifest/receipt.ts';
import { openKeyFile } from '../../src/core/recovery/key-file.ts';
import { seedOf } from '../../src/core/recovery/words.ts';
import { decodeSnapshot } from '../../src/core/scan/snapshot.ts';
import { decodeTree } from '../../src/core/scan/tree-codec.ts';
import { deriveKeys } from '../../src/core/sealing/keys.ts';
import type { AgreementId, PeerId } from '../../src/core/vocabulary/ids.ts';
import { parsePath } from '../../src/core/wire/resources.ts';

interface Case {
  readonly name: string;
  readonly kind: string;
  /** What is read: hexadecimal bytes, or text where the format is text. */
  readonly input: string;
  /** What the reader knows besides. */
  readonly given?: Readonly<Record<string, string>>;
  readonly expected: { readonly says: unknown } | { readonly code: string };
}

type Given = Readonly<Record<string, string>>;
type Reader = (input: string, given: Given) => Outcome<unknown, { readonly code: string }>;

function bytes(text: string | undefined): Bytes {
  return present(hexBytes(present(text, 'given by the vector')), 'vectors are hexadecimal');
}

const readers: Readonly<Record<string, Reader>> = {
  tree: (input) => decodeTree(bytes(input)),
  snapshot: (input) => decodeSnapshot(bytes(input)),
  index: (input) => new IndexReading().add(bytes(input)),
  agreement: (input) => {
    const signed = decodeSignedAgreement(bytes(input));
    return signed.ok ? verifyAgreement(signed.value) : signed;
  },
  acknowledgement: (input, given) =>
    readEntry(
      {
        agreement: (given['agreement'] ?? '') as AgreementId,
        holder: (given['holder'] ?? '') as PeerId,
      },
      bytes(input),
    ),
  manifest: (input, given) => openManifest(bytes(input), deriveKeys(bytes(given['rootSeed']))),
  receipt: (input, given) => readReceipt(bytes(input), (given['partner'] ?? '') as PeerId),
  invitation: (input) => parseInvitation(input),
  'key-file': (input, given) => openKeyFile(bytes(input), given['passphrase']),
  words: (input) => seedOf(input),
  path: (input) => {
    const resource = parsePath(input);
    return resource === undefined
      ? { ok: false, error: { code: 'resource.unknown' } }
      : { ok: true, value: resource };
  },
};

/** Bytes as hexadecimal, large integers as decimal text, maps as lists of pairs. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (inner instanceof Uint32Array) return [...inner];
    if (inner instanceof Uint8Array) return hexText(inner);
    return inner instanceof Map ? [...inner] : inner;
  });
  return JSON.parse(text);
}

const { cases } = JSON.parse(readFileSync(new URL('documents.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

for (const { name, kind, input, given, expected } of cases)
  test(`${kind}: ${name}`, () => {
    const read = present(readers[kind], 'a kind that this test reads');
    const outcome = read(input, given ?? {});
    const found = outcome.ok ? { says: plain(outcome.value) } : { code: outcome.error.code };
    assert.deepEqual(found, expected);
  });

test('every kind of document has a vector that is accepted and one that is refused', () => {
  for (const kind of Object.keys(readers)) {
    const ofKind = cases.filter((found) => found.kind === kind);
    assert.ok(
      ofKind.some(({ expected }) => 'says' in expected),
      kind,
    );
    assert.ok(
      ofKind.some(({ expected }) => 'code' in expected),
      kind,
    );
  }
});
