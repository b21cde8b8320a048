/** What is said and heard on the local network: the DNS records of a peer (RFC 6763), and the addresses in those of others. */
import type { FullPacket, ResponseOutgoingPacket } from 'multicast-dns';
import { type Bytes, hexText } from '../../base/bytes.ts';
import { type PeerId, parsePeerId } from '../../core/vocabulary/ids.ts';
import type { PeerAddress } from '../../ports/transport.ts';
import { parseMultiaddr } from '../http2/multiaddr.ts';

export type Answer = ResponseOutgoingPacket['answers'][number];
type TextAnswer = Extract<Answer, { readonly type: 'TXT' }>;

export interface Question {
  readonly name: string;
  readonly type?: string | undefined;
}

/** A response as far as it is read. */
export type Heard = Pick<FullPacket, 'answers'> | { readonly answers?: readonly Answer[] };

const service = '_covault._tcp.local';
const instanceDigits = 32;
const topicDigits = 32;
const addressMaximum = 8;

export function instanceName(peer: PeerId): string {
  return `${peer.slice(0, instanceDigits)}.${service}`;
}

/** Peers under a topic are a subtype of the service (RFC 6763 §7.1). */
export function topicName(topic: Bytes): string {
  return `_${hexText(topic).slice(0, topicDigits)}._sub.${service}`;
}

export function asksForTopic(question: Question, topic: Bytes): boolean {
  return question.name.toLowerCase() === topicName(topic);
}

export function asksFor(question: Question, peer: PeerId): boolean {
  const name = question.name.toLowerCase();
  if (name === service) return question.type === 'PTR' || question.type === 'ANY';
  return name === instanceName(peer);
}

/** The service's pointer to this peer, where it listens, and its text: the full id, and every address as it is written elsewhere. */
export function records(self: PeerAddress, ttl: number): Answer[] {
  const name = instanceName(self.peer);
  const known = self.addresses.slice(0, addressMaximum).map(parseMultiaddr);
  const targets = known.flatMap((one) => (one.ok ? [one.value] : []));
  const target = `${self.peer.slice(0, instanceDigits)}.local`;
  const pointer: Answer = { name: service, type: 'PTR', ttl, data: name };
  const text: TextAnswer = {
    name,
    type: 'TXT',
    ttl,
    data: [`id=${self.peer}`, ...self.addresses.slice(0, addressMaximum).map((one) => `at=${one}`)],
  };
  const hosts = targets.flatMap(({ kind, host }): Answer[] => {
    if (kind === 'ip4') return [{ name: target, type: 'A', ttl, data: host }];
    if (kind === 'ip6') return [{ name: target, type: 'AAAA', ttl, data: host }];
    return [];
  });
  const port = targets[0]?.port;
  const place: Answer[] =
    port === undefined ? [] : [{ name, type: 'SRV', ttl, data: { port, target } }];
  return [pointer, text, ...place, ...hosts];
}

/** That this peer is one of those under the topic, and where it is. */
export function topicRecords(topic: Bytes, self: PeerAddress, ttl: number): Answer[] {
  const pointer: Answer = {
    name: topicName(topic),
    type: 'PTR',
    ttl,
    data: instanceName(self.peer),
  };
  return [pointer, ...records(self, ttl)];
}

/** The well-formed addresses that the response gives for exactly this peer. */
export function addressesOf(response: Heard, peer: PeerId): readonly string[] {
  const own = peersIn(response).find((one) => one.peer === peer);
  return own?.addresses ?? [];
}

/** The peers that the response names under the topic, each with its well-formed addresses. */
export function peersUnder(response: Heard, topic: Bytes): readonly PeerAddress[] {
  const name = topicName(topic);
  const instances = (response.answers ?? []).flatMap((answer) =>
    answer.type === 'PTR' && answer.ttl !== 0 && answer.name.toLowerCase() === name
      ? [String(answer.data).toLowerCase()]
      : [],
  );
  return peersIn(response).filter((one) => instances.includes(instanceName(one.peer)));
}

function peersIn(response: Heard): readonly PeerAddress[] {
  return (response.answers ?? []).flatMap((answer) => {
    if (answer.type !== 'TXT' || answer.ttl === 0) return [];
    const lines = [answer.data].flat().map((line) => String(line));
    const peer = parsePeerId(lines.find((line) => line.startsWith('id='))?.slice(3) ?? '');
    if (peer === undefined || answer.name.toLowerCase() !== instanceName(peer)) return [];
    const given = lines.filter((line) => line.startsWith('at=')).map((line) => line.slice(3));
    const addresses = given.filter((address) => parseMultiaddr(address).ok);
    return [{ peer, addresses: addresses.slice(0, addressMaximum) }];
  });
}
