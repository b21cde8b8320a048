/** What one computer remembers of its peers besides agreements: who may become a partner, how each behaved, and what both signed about it. */
import type { Bytes } from '../base/bytes.ts';
import type { Instant } from '../base/units.ts';
import type { AgreementId, PeerId } from '../core/vocabulary/ids.ts';

/** How a peer that may become a partner was heard of. */
export type CandidateSource =
  | 'invite'
  | 'multicast'
  | 'dht'
  | 'partner'
  | 'configured'
  | 'asked-us';

/** A peer that may become a partner, and how it went with it so far. */
export interface CandidateRow {
  readonly peer: PeerId;
  readonly addresses: readonly string[];
  readonly source: CandidateSource;
  /** Its newest signed profile, if it was ever read. */
  readonly profile: Bytes | undefined;
  /** When it was last heard of or answered. */
  readonly seenAt: Instant;
  /** It is not asked again before. */
  readonly nextAskAt: Instant;
  /** Why it is no partner, as a stable code; undefined when it was not refused. */
  readonly refusal: string | undefined;
}

/** The engine keeps it small. */
export interface CandidateStore {
  put(row: CandidateRow): void;
  get(peer: PeerId): CandidateRow | undefined;
  /** Those seen last come first. */
  all(): readonly CandidateRow[];
  remove(peer: PeerId): void;
}

/** What this computer measured of a peer, or of itself, as an encoded observation (src/core/partners/observation.ts). */
export interface ObservationStore {
  get(peer: PeerId): Bytes | undefined;
  put(peer: PeerId, observation: Bytes): void;
  remove(peer: PeerId): void;
}

/** A receipt of the track record: what both parties signed about a stretch of time. */
export interface RecordRow {
  readonly agreement: AgreementId;
  readonly partner: PeerId;
  /** From 1, rising by one. */
  readonly sequence: number;
  /** SHA-256 of `document`, the next receipt's `previousHash`. */
  readonly hash: Bytes;
  /** Encoded receipt with both signatures. */
  readonly document: Bytes;
  readonly signedAt: Instant;
}

export interface RecordStore {
  /** Appends; the sequence must follow the head's, or be any for the first (asserted). */
  append(row: RecordRow): void;
  head(agreement: AgreementId): RecordRow | undefined;
  /** Rising. */
  ofAgreement(agreement: AgreementId): readonly RecordRow[];
  /** The last receipt with this peer, of whichever agreement was signed last. */
  newestWith(partner: PeerId): RecordRow | undefined;
}
