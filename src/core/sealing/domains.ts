/**
 * Every label that separates one use of a hash, a key or a signature from all others.
 *
 * They stand in one file so that two uses cannot come to share one. A label that was released never changes its meaning; a changed
 * structure takes a new label with the next version number.
 */

/** Keys derived from the root seed (DESIGN §4), one label each. */
export const keyLabels = {
  identity: 'covault/v1/key/identity',
  chunkId: 'covault/v1/key/chunk-id',
  gear: 'covault/v1/key/gear',
  pack: 'covault/v1/key/pack',
  seal: 'covault/v1/key/seal',
  shardName: 'covault/v1/key/shard-name',
  manifest: 'covault/v1/key/manifest',
  recoveryTopic: 'covault/v1/key/recovery-topic',
} as const;

/** Keys derived from one of those, for one pack, shard, partner, manifest or topic. */
export const derivedLabels = {
  frame: 'covault/v1/derived/frame',
  block: 'covault/v1/derived/block',
  shardNameOfPartner: 'covault/v1/derived/shard-name-of-partner',
  manifestBody: 'covault/v1/derived/manifest-body',
  recoveryTopic: 'covault/v1/derived/recovery-topic',
  keyFileWrap: 'covault/v1/derived/key-file-wrap',
  auditNonce: 'covault/v1/derived/audit-nonce',
} as const;

/** Domains of `hashWithDomain`. */
export const domains = {
  stripeId: 'covault/v1/hash/stripe-id',
  scanSignature: 'covault/v1/hash/scan-signature',
  meetingTopic: 'covault/v1/hash/meeting-topic',
  invitationSecret: 'covault/v1/hash/invitation-secret',
  keyFile: 'covault/v1/hash/key-file',
  ledgerStart: 'covault/v1/hash/ledger-start',
  recordStart: 'covault/v1/hash/record-start',
  auditInventory: 'covault/v1/hash/audit-inventory',
  auditBinding: 'covault/v1/hash/audit-binding',
  auditSealedNonce: 'covault/v1/hash/audit-sealed-nonce',
  auditBlockChoice: 'covault/v1/hash/audit-block-choice',
} as const;

/** What peers sign. A signature covers `covault/v1/TYPE` and then the document's CBOR. */
export const documentTypes = [
  'profile',
  'offer',
  'agreement',
  'acknowledgement',
  'manifest',
  'partner-list',
  'receipt',
  'invitation',
  'statement',
  'track-receipt',
  'notice',
  'audit-challenge',
  'audit-nonce',
  'audit-denial',
  'audit-opening',
  'audit-answer',
  'audit-verdict',
  'certificate',
] as const;

export type DocumentType = (typeof documentTypes)[number];
