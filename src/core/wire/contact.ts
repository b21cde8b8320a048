/** Where a peer can be found, as invites, manifests and recovery kits carry it. */
import type { CborValue } from '../../base/codec.ts';
import { type FieldReader, orNull } from '../../base/document.ts';
import { bytesOf, idBytes, idOf, type PeerId } from '../vocabulary/ids.ts';

export interface Contact {
  readonly peer: PeerId;
  /** What the peer calls itself. */
  readonly name?: string;
  /** Most promising first, at most eight: `/ip4/192.0.2.7/tcp/4747`, `/ip6/…`, `/dns/…`. */
  readonly addresses: readonly string[];
}

export const addressesMaximum = 8;
export const addressMaximumLength = 160;
export const nameMaximumLength = 64;

const addressForm = /^(?:\/[a-z0-9-]+\/[A-Za-z0-9._:%-]+)+$/;

/** Whether `text` has the form of an address: pairs of protocol and value. Which protocols are spoken is the transport's business. */
export function validAddress(text: string): boolean {
  return text.length <= addressMaximumLength && addressForm.test(text);
}

/** Whether `text` can be a computer's name: shown to people, so without control characters. */
export function validName(text: string): boolean {
  return text.length <= nameMaximumLength && text.isWellFormed() && !/\p{C}/u.test(text);
}

export function readAddresses(fields: FieldReader): string[] {
  return fields.list(addressesMaximum, (list) => {
    const address = list.text(addressMaximumLength);
    list.require(validAddress(address), 'an address');
    return address;
  });
}

export function readName(fields: FieldReader): string {
  const name = fields.text(nameMaximumLength);
  fields.require(validName(name), 'a name without control characters');
  return name;
}

export function readPeer(fields: FieldReader): PeerId {
  return idOf<PeerId>(fields.fixed(idBytes));
}

export function contactFields(contact: Contact): CborValue {
  return [bytesOf(contact.peer), orNull(contact.name), contact.addresses];
}

export function readContact(fields: FieldReader): Contact {
  return fields.record((record) => {
    const peer = readPeer(record);
    const name = record.optional(readName);
    const addresses = readAddresses(record);
    return { peer, ...(name === undefined ? {} : { name }), addresses };
  });
}

/** Where the sender of a request can be found, so that its partners keep up when it moves. */
const addressesField = 'covault-addresses';

/** No field for a computer that cannot be reached. */
export function addressesFields(addresses: readonly string[]): Readonly<Record<string, string>> {
  return addresses.length === 0 ? {} : { [addressesField]: addresses.join(' ') };
}

/** The addresses in a request's fields; none when anything about them is wrong. */
export function parseAddresses(fields: Readonly<Record<string, string>>): readonly string[] {
  const addresses = fields[addressesField]?.split(' ') ?? [];
  const fits = addresses.length <= addressesMaximum && addresses.every(validAddress);
  return fits ? addresses : [];
}
