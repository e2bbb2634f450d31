// Progress and messages on stderr: a bar with the time left on a terminal, plain lines otherwise.
import type { Writable } from 'node:stream';
import { MultiBar, type SingleBar } from 'cli-progress';
import { formatSeconds } from './text.js';

/** Plain lines come no closer than this, so a log of an hour stays readable. */
const LINE_INTERVAL_MS = 5000;

export class Progress {
  readonly #stream: Writable;
  readonly #started = performance.now();
  #lastLine = this.#started;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;

  constructor(stream: Writable & { isTTY?: boolean }) {
    this.#stream = stream;
    if (!stream.isTTY) return;
    this.#bars = new MultiBar({
      stream: stream as NodeJS.WritableStream,
      format: '{bar} {percentage}% | {left} | {detail}',
      barsize: 24,
      clearOnComplete: true,
    });
  }

  /** Shows that `fraction` (0 to 1) of the work is done; `detail` is a short word on where it stands. */
  readonly update = (fraction: number, detail = ''): void => {
    const now = performance.now();
    const seconds = (now - this.#started) / 1000;
    const left = fraction > 0 ? `${formatSeconds((seconds * (1 - fraction)) / fraction)} left` : 'estimating';
    if (this.#bars) {
      this.#bar ??= this.#bars.create(1, 0, { left, detail });
      this.#bar.update(Math.min(1, fraction), { left, detail });
    } else if (now - this.#lastLine >= LINE_INTERVAL_MS) {
      this.#lastLine = now;
      const parts = [`${Math.floor(100 * fraction)} %`, left, detail];
      this.#stream.write(`${parts.filter((part) => part !== '').join(', ')}\n`);
    }
  };

  /** Writes one line, above the bar if there is one. */
  readonly note = (message: string): void => {
    if (this.#bar) this.#bars?.log(`${message}\n`);
    else this.#stream.write(`${message}\n`);
  };

  /** Takes the bar off the terminal. */
  stop(): void {
    if (this.#bar) this.#bars?.update(); // flushes notes still waiting for a redraw
    this.#bars?.stop();
    this.#bars = undefined;
    this.#bar = undefined;
  }
}
