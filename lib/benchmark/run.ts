// Times the cases on this machine and holds each against what its bytes and operations must take.

import type { Seed } from '../arrays/mt19937.js';
import { espirit } from '../calibration/espirit.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, threadCount } from '../jobs.js';
import { BENCHMARK_CASES, type BenchmarkCase, type CalibratedSlice, type Prepared, type Work } from './cases.js';
import { copyBandwidth, type Machine, measureMachine } from './machine.js';
import { benchmarkSlice, type SliceShape } from './slice.js';

/** Times in seconds. */
export interface BenchmarkRow extends Work {
  readonly case: string;
  readonly title: string;
  /** [coils, ky, kx]. */
  readonly shape: SliceShape;
  readonly median: number;
  readonly min: number;
  /** Median of the processor time of all threads, which other work on the machine disturbs least. */
  readonly processor: number;
  /** What the bytes take at the measured copy bandwidth. */
  readonly memoryBound: number;
  /** What the operations take at half the measured multiply-add peak: transforms add as often as they multiply and add. */
  readonly arithmeticBound: number;
  /** The larger bound over the best time: 1 would be the limit itself. */
  readonly share: number;
  readonly limit: 'memory' | 'arithmetic';
}

export interface BenchmarkResult {
  readonly machine: Machine;
  readonly seed: Seed;
  readonly rounds: number;
  readonly rows: readonly BenchmarkRow[];
}

export interface BenchmarkOptions extends RunOptions {
  readonly shapes: readonly SliceShape[];
  /** Names of cases. Default: all. */
  readonly cases?: readonly string[] | undefined;
  readonly rounds: number;
  readonly seed: Seed;
}

/**
 * Times every case on every shape.
 *
 * @throws LarmorError `ERR_ARGUMENT` for a case that does not exist or shapes the simulation does not take; `signal.reason` when aborted.
 */
export async function runBenchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  const { shapes, rounds, seed, signal, threads, onProgress } = options;
  const cases = chosenCases(options.cases);
  const run = { signal, threads: threadCount({ threads }) };
  const machine = await measureMachine(run);
  const rows: BenchmarkRow[] = [];
  for (const shape of shapes) {
    const slice = await calibratedSlice(shape, seed, run);
    const bandwidth = await copyBandwidth(slice.kspace.data.byteLength, run);
    for (const one of cases) {
      const prepared = one.prepare(slice);
      const times = await timed(prepared, rounds, run);
      rows.push(row(one, shape, times, prepared, machine.multiplyAddPeak, bandwidth));
      onProgress?.(rows.length / (shapes.length * cases.length));
    }
  }
  return { machine, seed, rounds, rows };
}

function chosenCases(names: readonly string[] = BENCHMARK_CASES.map(({ name }) => name)): BenchmarkCase[] {
  return names.map((wanted) => {
    const found = BENCHMARK_CASES.find(({ name }) => name === wanted);
    if (found) return found;
    const known = BENCHMARK_CASES.map(({ name }) => name).join(', ');
    throw new LarmorError('ERR_ARGUMENT', `bench: case must be one of ${known}, got ${wanted}`);
  });
}

async function calibratedSlice(shape: SliceShape, seed: Seed, options: RunOptions): Promise<CalibratedSlice> {
  const slice = await benchmarkSlice(shape, seed, options);
  const { maps } = await espirit(slice.kspace, { ...options, mask: slice.mask });
  return { ...slice, maps: { data: maps.data, shape } }; // of one set
}

interface Times {
  readonly wall: readonly number[];
  readonly processor: readonly number[];
}

/** Uncounted runs beforehand: they make plans and touch memory for the first time. */
const WARM_RUNS = 3;

/** `rounds` runs after the uncounted ones. */
async function timed({ run }: Prepared, rounds: number, options: RunOptions): Promise<Times> {
  for (let round = 0; round < WARM_RUNS; round += 1) await run(options);
  const wall: number[] = [];
  const processor: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    await run(options);
    wall.push((performance.now() - start) / 1e3);
    const { user, system } = process.cpuUsage(before);
    processor.push((user + system) / 1e6);
  }
  return { wall, processor };
}

function row(
  { name, title }: BenchmarkCase,
  shape: SliceShape,
  { wall, processor }: Times,
  { bytes, operations }: Work,
  peak: number,
  bandwidth: number,
): BenchmarkRow {
  const min = Math.min(...wall);
  const memoryBound = bytes / bandwidth;
  const arithmeticBound = operations / (peak / 2);
  return {
    case: name,
    title,
    shape,
    bytes,
    operations,
    median: middle(wall),
    min,
    processor: middle(processor),
    memoryBound,
    arithmeticBound,
    share: Math.max(memoryBound, arithmeticBound) / min,
    limit: memoryBound > arithmeticBound ? 'memory' : 'arithmetic',
  };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
