// What a training run measured, as JSON lines: one per step and one per validation.
import { open, readFile } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { writeFileAtomically } from '../io/atomic-write.js';
import { readFailure, writeFailure } from '../io/file-errors.js';
import type { Validation } from './checkpoint.js';

/** A step, or the validation after it. */
export interface MetricsRow {
  readonly step: number;
  /** Since training began, without the time between a stop and its resumption. */
  readonly seconds: number;
  /** Mean over the batches of the step. */
  readonly loss?: number | undefined;
  readonly learningRate?: number | undefined;
  /** Before it was clipped. */
  readonly gradientNorm?: number | undefined;
  readonly validation?: Omit<Validation, 'step'> | undefined;
}

/** So often lines reach the file while training runs. */
const FLUSH_SECONDS = 1;

/** Appends to a file of metrics, a batch of lines at a time. */
export class MetricsLog {
  readonly #path: string;
  readonly #started: number;
  #lines: string[] = [];
  #flushed = performance.now();

  private constructor(path: string, seconds: number) {
    this.#path = path;
    this.#started = performance.now() - 1000 * seconds;
  }

  /**
   * Starts a file for a run that has made `steps` steps: lines of these stay, later ones, which a killed run may have left, go.
   *
   * @throws LarmorError `ERR_FILE_WRITE`; `ERR_FILE_FORMAT` when a line that is to stay is no JSON.
   */
  static async open(path: string, steps: number): Promise<MetricsLog> {
    const rows = steps > 0 ? (await readMetrics(path).catch(nothingThere)).filter(({ step }) => step <= steps) : [];
    await writeFileAtomically(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return new MetricsLog(path, rows.at(-1)?.seconds ?? 0);
  }

  /** Adds a line. Lines of the last second may still be on their way to the file. @throws LarmorError `ERR_FILE_WRITE`. */
  async record(row: Omit<MetricsRow, 'seconds'>): Promise<void> {
    const now = performance.now();
    this.#lines.push(`${JSON.stringify({ ...row, seconds: Math.round(now - this.#started) / 1000 })}\n`);
    if (now - this.#flushed >= 1000 * FLUSH_SECONDS) await this.flush();
  }

  /** Writes what is on its way, to the disk. @throws LarmorError `ERR_FILE_WRITE`. */
  async flush(): Promise<void> {
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#flushed = performance.now();
    if (lines === '') return;
    try {
      await using file = await open(this.#path, 'a');
      await file.appendFile(lines);
      await file.sync();
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }
}

function nothingThere(error: unknown): MetricsRow[] {
  if (error instanceof LarmorError && error.code === 'ERR_FILE_NOT_FOUND') return [];
  throw error;
}

/**
 * The lines of a file of metrics. A last line that a killed run left unfinished is left out.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` with the number of a line that is no metrics row.
 */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw readFailure(path, error);
  });
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line, i) => {
    const row = parsed(line);
    if (typeof row?.step === 'number' && typeof row.seconds === 'number') return row;
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: line ${i + 1} is no row of training metrics`);
  });
}

function parsed(line: string): MetricsRow | undefined {
  try {
    return JSON.parse(line) as MetricsRow;
  } catch {
    return undefined;
  }
}
