/** What happened in a population, as one hash. Events are numbers, so that millions of them cost little; two lanes make 64 bits. */

export class TraceHash {
  #low = 0x811c9dc5;
  #high = 0x01000193;
  #count = 0;

  add(kind: number, first: number, second: number): void {
    this.#low = mixed(this.#low, kind ^ Math.imul(first, 0x9e3779b1));
    this.#high = mixed(this.#high ^ this.#low, second);
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Sixteen hexadecimal digits. */
  text(): string {
    return [this.#high, this.#low]
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }
}

function mixed(state: number, word: number): number {
  const once = Math.imul(state ^ word, 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
