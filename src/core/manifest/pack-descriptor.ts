/** How a pack is named in manifests and index segments: enough to fetch it, and to know its code. */
import { assert } from '../../base/assert.ts';
import type { CborValue } from '../../base/codec.ts';
import type { FieldReader } from '../../base/document.ts';
import { type Code, indexCount, shardCount } from '../vocabulary/code.ts';
import { bytesOf, idBytes, idOf, type PackId, type PeerId } from '../vocabulary/ids.ts';
import { packMaximumBytes, shardsMaximum } from '../vocabulary/limits.ts';
import { parseSuite, type Suite } from '../vocabulary/suite.ts';
import { codeFields, readCode } from '../wire/code-fields.ts';

/**
 * Where each shard of a stripe was sent, in order of indices; undefined where it was not sent, or another one in its place. Empty, or one for each of the first
 * n shards and of the further ones up to the last that was sent.
 */
export type PlacementHint = readonly (PeerId | undefined)[];

export interface PackDescriptor {
  readonly pack: PackId;
  readonly suite: Suite;
  readonly lengthBytes: number;
  /** With pack id and length it gives the stripe id. */
  readonly code: Code;
  readonly placement: PlacementHint;
}

const partnersMaximum = 65_536;

/** Partners named by number in the descriptors of one document, in order of first use. */
export class PartnerTable {
  readonly #numbers = new Map<PeerId, number>();

  numberOf(partner: PeerId): number {
    const known = this.#numbers.get(partner);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(partner, number);
    return number;
  }

  fields(): CborValue {
    return [...this.#numbers.keys()].map(bytesOf);
  }
}

/** The table as it is read; it must be the one that a `PartnerTable` would have made. */
export class PartnerTableReader {
  readonly #partners: readonly PeerId[];
  #used = 0;

  constructor(fields: FieldReader) {
    this.#partners = fields.list(partnersMaximum, (list) => idOf<PeerId>(list.fixed(idBytes)));
    const distinct = new Set(this.#partners).size === this.#partners.length;
    fields.require(distinct, 'partners that differ');
  }

  partner(fields: FieldReader): PeerId {
    const number = fields.uint();
    const partner = this.#partners[number];
    if (partner === undefined || number > this.#used)
      return fields.refuse('a partner of the table, in order of first use');
    if (number === this.#used) this.#used += 1;
    return partner;
  }

  /** To be called once all descriptors were read. */
  end(fields: FieldReader): void {
    fields.require(this.#used === this.#partners.length, 'a table without unused partners');
  }
}

export function descriptorFields(descriptor: PackDescriptor, partners: PartnerTable): CborValue {
  const { placement } = descriptor;
  assert(isWholePlacement(placement, descriptor.code), 'a placement names every shard, or none');
  return [
    bytesOf(descriptor.pack),
    descriptor.suite,
    descriptor.lengthBytes,
    codeFields(descriptor.code),
    placement.map((partner) => (partner === undefined ? null : partners.numberOf(partner))),
  ];
}

export function readDescriptor(fields: FieldReader, partners: PartnerTableReader): PackDescriptor {
  return fields.record((record) => {
    const pack = idOf<PackId>(record.fixed(idBytes));
    const suite = parseSuite(record.uint(255));
    if (suite === undefined) return record.refuse('a known suite');
    const lengthBytes = record.uint(packMaximumBytes);
    const code = readCode(record);
    const placement = record.list(shardsMaximum, (list) =>
      list.optional((field) => partners.partner(field)),
    );
    record.require(isWholePlacement(placement, code), 'a placement of every shard, or none');
    return { pack, suite, lengthBytes, code, placement };
  });
}

function isWholePlacement(placement: PlacementHint, code: Code): boolean {
  if (placement.length === 0 || placement.length === shardCount(code)) return true;
  const isFurther = placement.length > shardCount(code) && placement.length <= indexCount(code);
  return isFurther && placement.at(-1) !== undefined;
}
