/** A binary heap: the least item first, in O(log n) for each push and pop. */
import { present } from './assert.ts';

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (left: T, right: T) => number;

  /** `compare` gives a negative number when `left` comes out first. Ties come out in any order: compare a sequence number too where it matters. */
  constructor(compare: (left: T, right: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item, which stays. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1);
  }

  /** Removes the least item. */
  pop(): T | undefined {
    const least = this.#items[0];
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return least;
    this.#items[0] = last;
    this.#sink(0);
    return least;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#compare(this.#at(parent), this.#at(index)) <= 0) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      for (const child of [left, right])
        if (child < this.#items.length && this.#compare(this.#at(child), this.#at(least)) < 0)
          least = child;
      if (least === index) return;
      this.#swap(least, index);
      index = least;
    }
  }

  #at(index: number): T {
    return present(this.#items[index], 'an index inside the heap');
  }

  #swap(left: number, right: number): void {
    const moved = this.#at(left);
    this.#items[left] = this.#at(right);
    this.#items[right] = moved;
  }
}
