/** An owner that audits and a partner that holds its shards, on the network twin in virtual time: both can be restarted, and everything on the way can be lost. */
import assert from 'node:assert/strict';
import { present } from '../../src/base/assert.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { Prng } from '../../src/base/prng.ts';
import { gibi } from '../../src/base/units.ts';
import {
  agreementIdOf,
  encodeAgreement,
  encodeSignedAgreement,
  signAgreement,
} from '../../src/core/agreements/agreement.ts';
import { circleTerms, type Terms } from '../../src/core/agreements/terms.ts';
import { decodeAuditRequest } from '../../src/core/audits/audit-message.ts';
import { ShardSealer } from '../../src/core/sealing/block.ts';
import type { OwnerKeys } from '../../src/core/sealing/keys.ts';
import { ShardNamer } from '../../src/core/sealing/shard-name.ts';
import {
  idOf,
  type PackId,
  type PeerId,
  type ShardName,
  type StripeId,
} from '../../src/core/vocabulary/ids.ts';
import { payloadBytes } from '../../src/core/vocabulary/limits.ts';
import { suiteAesGcm } from '../../src/core/vocabulary/suite.ts';
import { encodeRefusal, statusOf } from '../../src/core/wire/refusal.ts';
import { parsePath } from '../../src/core/wire/resources.ts';
import { AuditAnswers } from '../../src/engine/audits/audit-answers.ts';
import { AuditDesk } from '../../src/engine/audits/audit-desk.ts';
import type { AuditEvent } from '../../src/engine/audits/audit-event.ts';
import { facts } from '../../src/engine/facts.ts';
import { appendHolderEntry } from '../../src/engine/holding/held-ledger.ts';
import { ShardIntake } from '../../src/engine/holding/shard-intake.ts';
import { ShardService } from '../../src/engine/holding/shard-service.ts';
import { PartnerBook } from '../../src/engine/partners/partner-book.ts';
import { PartnerClient } from '../../src/engine/partners/partner-client.ts';
import { wholeBody } from '../../src/engine/partners/whole-body.ts';
import { ShardLosses } from '../../src/engine/sending/shard-losses.ts';
import { Notifier } from '../../src/engine/work/notifier.ts';
import { contentsOf } from '../../src/ports/stores.conformance.ts';
import type { AgreementRow } from '../../src/ports/stores.ts';
import type { IncomingRequest, Listening, OutgoingReply } from '../../src/ports/transport.ts';
import { sha256 } from '../../src/primitives/hash.ts';
import { keysOf } from '../../src/sim/agreed-pair.ts';
import { SimNetwork, simAddress } from '../../src/sim/network.ts';
import { TwinDisk } from '../../src/sim/twin-disk.ts';
import { type TwinStores, twinStores } from '../../src/sim/twin-stores.ts';
import type { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { onVirtualTime } from '../../src/sim/virtual-run.ts';

/** What becomes of one message to `audits`: its answer is lost, it never arrives, or it is answered with nonsense. */
export type Mishap = 'reply-lost' | 'request-lost' | 'nonsense' | undefined | 'refused';

export interface AuditSceneOptions {
  readonly seed: string;
  readonly terms?: Partial<Terms>;
  /** Blocks of each shard that the partner holds. */
  readonly shards: readonly number[];
}

const never = new AbortController().signal;
const log = { write: (): void => undefined };

export class AuditScene {
  readonly clock: VirtualClock;
  readonly owner: OwnerKeys = keysOf('owner');
  readonly holder: OwnerKeys = keysOf('holder');
  readonly names: ShardName[] = [];
  readonly events: AuditEvent[] = [];
  /** How often others of the owner's computer were told to look again. */
  wakes = 0;
  /** Kinds of the messages that reached the partner. */
  readonly seen: string[] = [];
  readonly disk: TwinDisk;
  /** Decides on each message to `audits`, and on each page of the ledger or inventory. */
  mishap: (type: string) => Mishap = () => undefined;
  ownerStores: TwinStores = twinStores();
  holderStores: TwinStores = twinStores();
  desk: AuditDesk;
  answers: AuditAnswers;
  readonly #network: SimNetwork;
  readonly #client: PartnerClient;
  readonly #terms: Terms;
  #listening: Listening | undefined;

  constructor(clock: VirtualClock, options: AuditSceneOptions) {
    this.clock = clock;
    const prng = new Prng(options.seed);
    this.#network = new SimNetwork({ clock, prng: prng.fork('network') });
    const lending = { firstLendsBytes: gibi, secondLendsBytes: gibi };
    this.#terms = { ...circleTerms(lending), ...options.terms };
    this.disk = new TwinDisk({ random: prng.fork('disk') });
    this.#client = new PartnerClient(this.#network.transport(this.owner.peerId), {
      ...{ clock, addresses: () => [], heard: () => undefined },
    });
    this.#agree();
    this.desk = this.#newDesk(prng.fork('desk'));
    this.answers = this.#newAnswers();
  }

  /** As the owner keeps it. */
  get agreement(): AgreementRow {
    return present(this.ownerStores.agreements.all()[0], 'an agreement');
  }

  async begin(): Promise<void> {
    const transport = this.#network.transport(this.holder.peerId);
    this.#listening = await transport.serve(
      (request) => this.#answer(request),
      () => 'partner',
    );
  }

  async away(): Promise<void> {
    await this.#listening?.close();
    this.#listening = undefined;
  }

  /** Nothing but what was durable survives. */
  restart(side: 'owner' | 'holder'): void {
    if (side === 'owner') {
      this.ownerStores = twinStores(this.ownerStores.image());
      this.desk = this.#newDesk(new Prng(`desk ${this.clock.now()}`));
    } else {
      this.holderStores = twinStores(this.holderStores.image());
      this.answers = this.#newAnswers();
    }
  }

  /**
   * The owner loses its catalogue, and has the agreement from a recovery; of the ledger the partner's newest entry, because something was stored there since, or none,
   * and only the inventory says that something is there.
   */
  forgetOwner(ledger: 'the newest entry' | 'nothing' = 'the newest entry'): void {
    const { agreement } = this;
    const head = present(this.ownerStores.ledger.head(agreement.agreement, 'owner'), 'a ledger');
    const { packs, shards } = this.ownerStores;
    this.ownerStores = twinStores();
    this.ownerStores.agreements.put(agreement);
    if (ledger === 'the newest entry') this.ownerStores.ledger.append(head);
    else
      for (const row of packs.all()) {
        this.ownerStores.packs.add(row, present(packs.contents(row.pack), 'contents'));
        for (const shard of shards.ofPack(row.pack)) this.ownerStores.shards.put(shard);
      }
    this.desk = this.#newDesk(new Prng('recovered'));
  }

  /** The partner loses everything but its keys, and comes back in its next life. */
  forgetHolder(): void {
    const rows = this.holderStores.agreements.all();
    this.holderStores = twinStores();
    for (const row of rows) this.holderStores.agreements.put(row);
    facts.setIncarnation(this.holderStores, 1);
    for (const name of this.disk.wholeNames()) this.disk.remove(name);
    this.answers = this.#newAnswers();
  }

  /** The partner begins its next life with all that it holds, and without the ledger that it signed: a home that was set back, or rebuilt around its shards. */
  reviveHolder(): void {
    facts.setIncarnation(this.holderStores, 1);
    this.restart('holder');
  }

  async audit(blocks?: number): Promise<AuditEvent | undefined> {
    const options = { signal: never, ...(blocks === undefined ? {} : { blocks }) };
    return await this.desk.audit(this.holder.peerId, options);
  }

  /** Runs the desk's own loop for so long. */
  async run(durationMs: number): Promise<void> {
    const stop = new AbortController();
    const running = this.desk.run(stop.signal);
    await this.clock.sleep(durationMs);
    stop.abort();
    await running;
  }

  blobOf(name: ShardName): string {
    return `${this.owner.peerId}/${name}`;
  }

  /** Seals a shard of so many blocks, and has it held and acknowledged. */
  addShard(blockCount: number): Promise<ShardName> {
    return this.#add(blockCount, this.owner.sealKey);
  }

  /** A shard that the partner holds and has signed for, whose blocks are not those that the owner sealed: every hash is right, but the keyed one. */
  addForgedShard(blockCount: number): Promise<ShardName> {
    return this.#add(blockCount, this.holder.sealKey);
  }

  /** The partner puts a shard into its trash and signs for that; what it signed never arrives. */
  deleteUnheard(name: ShardName): void {
    const { identitySeed } = this.holder;
    const { agreement } = this.agreement;
    const stores = this.holderStores;
    const held = present(stores.held.get(this.owner.peerId, name), 'a shard that is held');
    const { blockCount, merkleRoot } = held;
    const subject = { action: 'delete', name, blockCount, merkleRoot } as const;
    appendHolderEntry({ identitySeed, stores, clock: this.clock }, agreement, subject);
    stores.held.put({ ...held, trashedAt: this.clock.now() });
  }

  async #add(blockCount: number, sealKey: Uint8Array): Promise<ShardName> {
    const number = this.names.length;
    const stripe = idOf<StripeId>(sha256(Uint8Array.of(number & 0xff, number >> 8)));
    const place = { suite: suiteAesGcm, owner: this.owner.peerId, stripeId: stripe, index: 0 };
    const sealer = new ShardSealer(sealKey, { ...place, partner: this.holder.peerId });
    const payload = new Uint8Array(blockCount * payloadBytes).fill(number & 0xff);
    const { bytes, merkleRoot } = sealer.sealShard(payload);
    const name = new ShardNamer(this.owner.shardNameKey, this.holder.peerId).nameOf(stripe, 0);
    await this.disk.attach().write(this.blobOf(name), bytes);
    this.#acknowledge({ name, blockCount, merkleRoot, bytes });
    this.#catalogue(number, stripe);
    this.names.push(name);
    return name;
  }

  #acknowledge(shard: {
    readonly name: ShardName;
    readonly blockCount: number;
    readonly merkleRoot: Bytes;
    readonly bytes: Bytes;
  }): void {
    const { name, blockCount, merkleRoot } = shard;
    const { agreement } = this.agreement;
    const { identitySeed } = this.holder;
    const hand = { identitySeed, stores: this.holderStores, clock: this.clock };
    const subject = { action: 'put', name, blockCount, merkleRoot } as const;
    const { side: _, ...entry } = appendHolderEntry(hand, agreement, subject);
    const { epoch, sequence } = entry;
    this.holderStores.held.put({
      ...{ owner: this.owner.peerId, name, blockCount, merkleRoot },
      ...{ sha256: sha256(shard.bytes), epoch, sequence, trashedAt: undefined },
    });
    this.ownerStores.ledger.append({ ...entry, side: 'owner' });
  }

  #catalogue(number: number, stripe: StripeId): void {
    const pack = idOf<PackId>(sha256(Uint8Array.of(1, number & 0xff, number >> 8)));
    this.ownerStores.packs.add(
      {
        ...{ pack, kind: 'data', suite: suiteAesGcm, salt: sha256(Uint8Array.of(number & 0xff)) },
        ...{ lengthBytes: 1, storedAt: this.clock.now(), indexed: true, spooled: false },
        ...{ code: { id: 'parity', dataShards: 1, parityShards: 0 }, stripe },
      },
      contentsOf([number]),
    );
    const partner = this.holder.peerId;
    this.ownerStores.shards.put({ pack, index: 0, partner, phase: 'held' });
  }

  #agree(): void {
    const [first, second] = [this.holder, this.owner];
    const body = encodeAgreement({
      ...{ first: first.peerId, second: second.peerId },
      ...{ start: this.clock.now(), terms: this.#terms },
    });
    const half = signAgreement({ body, signatures: {} }, 'second', second.identitySeed);
    const document = encodeSignedAgreement(signAgreement(half, 'first', first.identitySeed));
    const rowWith = (partner: PeerId): AgreementRow => ({
      ...{ agreement: agreementIdOf(body), partner, document, phase: 'standing', paused: false },
      ...{ lifecycle: undefined, partnerName: '', addresses: [simAddress(partner)] },
      ...{ since: this.clock.now(), lastSeenAt: undefined },
    });
    this.ownerStores.agreements.put(rowWith(this.holder.peerId));
    this.holderStores.agreements.put(rowWith(this.owner.peerId));
  }

  #newDesk(random: Prng): AuditDesk {
    const stores = this.ownerStores;
    const changes = new Notifier();
    const listen = (): void => {
      void changes.changed(new AbortController().signal).then(() => {
        this.wakes += 1;
        listen();
      });
    };
    listen();
    const spool = { reclaimed: () => undefined, released: () => undefined };
    return new AuditDesk({
      ...{ keys: this.owner, stores, clock: this.clock, random, log, changes },
      ...{ book: new PartnerBook(stores), client: this.#client },
      losses: new ShardLosses({ stores, spool, log, changes }),
      onEvent: (event) => this.events.push(event),
    });
  }

  #newAnswers(): AuditAnswers {
    const { identitySeed } = this.holder;
    const held = this.disk.attach();
    return new AuditAnswers({
      identitySeed,
      stores: this.holderStores,
      held,
      clock: this.clock,
      log,
    });
  }

  async #answer(request: IncomingRequest): Promise<OutgoingReply> {
    const resource = parsePath(request.path);
    const row = present(this.holderStores.agreements.all()[0], 'an agreement');
    const refused = (): OutgoingReply => {
      const refusal = { code: 'request.quota', detail: 'no more today' } as const;
      return { status: statusOf(refusal.code), body: encodeRefusal(refusal) };
    };
    if (this.mishap(resource?.resource ?? '') === 'refused') return refused();
    if (resource?.resource === 'ledger' || resource?.resource === 'inventory') {
      const { identitySeed } = this.holder;
      const held = this.disk.attach();
      const ports = { stores: this.holderStores, held, clock: this.clock, log };
      const intake = new ShardIntake({ ...ports, identitySeed });
      const answer = await new ShardService({ ...ports, intake }).answer(request, row, resource);
      assert.ok(answer.ok);
      return { status: 200, ...answer.value };
    }
    assert.equal(resource?.resource, 'audits');
    const body = await wholeBody(request.body, 65_536);
    assert.ok(body.ok);
    const message = decodeAuditRequest(body.value);
    assert.ok(message.ok);
    this.seen.push(message.value.type);
    const mishap = this.mishap(message.value.type);
    if (mishap === 'refused') return refused();
    if (mishap === 'request-lost') return await new Promise(() => undefined);
    const reply = await this.answers.answer(row, body.value);
    if (mishap === 'reply-lost') return await new Promise(() => undefined);
    if (mishap === 'nonsense') return { status: 200, body: Uint8Array.of(1, 2, 3) };
    if (reply.ok) return { status: 200, body: reply.value };
    return { status: statusOf(reply.error.code), body: encodeRefusal(reply.error) };
  }
}

/** Plays in a scene whose partner listens. */
export async function inAuditScene(
  options: AuditSceneOptions,
  play: (scene: AuditScene) => Promise<void>,
): Promise<void> {
  await onVirtualTime(async (clock) => {
    const scene = new AuditScene(clock, options);
    for (const blockCount of options.shards) await scene.addShard(blockCount);
    await scene.begin();
    await play(scene);
  });
}
