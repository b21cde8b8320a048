/**
 * What one computer of a world keeps over its crashes: the image of its stores and its two disks.
 *
 * Every durable step of any of them is one crash point of the world. A new life gets ports on what the last one had made durable, and
 * nothing that an older life still does reaches them.
 */
import { assert } from '../base/assert.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { DiskFaults } from './fault-plan.ts';
import { slowWork } from './slow-work.ts';
import { TwinDisk } from './twin-disk.ts';
import { type TwinImage, type TwinStores, twinStores } from './twin-stores.ts';
import type { SimComputer, SimWorld } from './world.ts';

export interface HomePorts {
  readonly stores: Stores;
  readonly spool: BlobStore;
  readonly held: BlobStore;
}

export class SimHome {
  readonly name: string;
  readonly spool: TwinDisk;
  readonly held: TwinDisk;
  #stores: TwinStores = twinStores();
  #present: SimComputer | undefined;

  constructor(world: SimWorld, name: string) {
    this.name = name;
    this.spool = this.#disk(world, 'spool');
    this.held = this.#disk(world, 'held');
    for (const faults of world.plan.disks) if (faults.node === name) this.#apply(world, faults);
  }

  /** For a life that begins: the first thing its program does. */
  open(computer: SimComputer): HomePorts {
    assert(computer.name === this.name, 'a home is opened by its own computer');
    assert(this.#present?.life.alive !== true, 'a home is open in one life at a time');
    this.#present = computer;
    this.#stores = twinStores(this.#stores.image(), computer.onDurable);
    computer.life.onEnd(() => {
      this.spool.crash();
      this.held.crash();
    });
    return {
      stores: computer.life.port<Stores>(this.#stores, 'throwing'),
      spool: computer.life.port(this.spool.attach(slowWork(computer, 'spool')), 'silent'),
      held: computer.life.port(this.held.attach(slowWork(computer, 'held')), 'silent'),
    };
  }

  /** The stores of the present life, for scenarios in which a person or a program beside the engine changes them. */
  get stores(): Stores {
    return this.#stores;
  }

  /** What a restart would find in the stores, for checkers. */
  image(): TwinImage {
    return this.#stores.image();
  }

  #disk(world: SimWorld, disk: DiskFaults['disk']): TwinDisk {
    const draws = world.prng.fork(`${this.name}/${disk}`);
    return new TwinDisk({
      random: { bytes: (count) => draws.bytes(count) },
      onWrite: (label, moment) => this.#present?.onDurable(`${disk}.${label}`, moment),
    });
  }

  #apply(world: SimWorld, faults: DiskFaults): void {
    const disk = faults.disk === 'spool' ? this.spool : this.held;
    if (faults.capacityBytes !== undefined) {
      disk.setCapacity(faults.capacityBytes);
      world.at(world.plan.healsAtMs, () => disk.setCapacity(Number.MAX_SAFE_INTEGER));
    }
    const draws = world.prng.fork(`${this.name}/${faults.disk}/rot`);
    for (const atMs of faults.rotsAtMs)
      world.at(atMs, () => {
        const names = disk.wholeNames();
        if (names.length === 0) return;
        const name = draws.pick(names);
        disk.rot(name);
        world.note('sim.rot', { computer: this.name, disk: faults.disk, name });
      });
  }
}
