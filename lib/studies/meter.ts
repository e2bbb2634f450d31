// How far a study is.

/** Shares of progress: tasks say how far they are, the whole is told. */
export class Meter {
  total: number;
  readonly #report: ((fraction: number, detail: string) => void) | undefined;
  #done = 0;

  constructor(total: number, report: ((fraction: number, detail: string) => void) | undefined) {
    this.total = total;
    this.#report = report;
  }

  /** A task of a given cost; call it with the fraction of it that is done. */
  task(name: string, cost: number): (fraction: number, detail?: string) => void {
    let counted = 0;
    return (fraction, detail) => {
      this.#done += cost * fraction - counted;
      counted = cost * fraction;
      this.#report?.(Math.min(1, this.#done / Math.max(1, this.total)), detail ? `${name}, ${detail}` : name);
    };
  }
}
