import type { Field } from './field.ts';

/** Marks cliques as counted, so that of each only its first candidate is. Clearing costs nothing. */
export class CliqueMarks {
  readonly #cliques: Int32Array;
  /** In which turn each clique was last marked. */
  readonly #markedIn: Uint32Array;
  #turn = 1;

  constructor({ cliques }: Field) {
    this.#cliques = cliques;
    this.#markedIn = new Uint32Array(cliques.length);
  }

  /** Takes all marks away. */
  clear(): void {
    this.#turn += 1;
  }

  /** Marks the clique of a candidate; answers whether it was marked before. */
  mark(at: number): boolean {
    const clique = this.#cliques[at] ?? 0;
    if (this.#markedIn[clique] === this.#turn) return true;
    this.#markedIn[clique] = this.#turn;
    return false;
  }
}
