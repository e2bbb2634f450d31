// `larmor bench`: how fast this machine transforms, calibrates and reconstructs, and how near that is to what it can do.
import { InvalidArgumentError } from 'commander';
import { type BenchmarkResult, type BenchmarkRow, runBenchmark } from '../benchmark/run.js';
import type { SliceShape } from '../benchmark/slice.js';
import { integer } from './options.js';
import type { Outcome, Register, Session } from './shell.js';
import { table } from './text.js';

interface Flags {
  readonly size?: readonly SliceShape[];
  readonly case?: readonly string[];
  readonly rounds: number;
  readonly seed: number;
  readonly threads: number;
}

const SIZES: readonly SliceShape[] = [
  [15, 320, 320],
  [15, 640, 368],
];

export const register: Register = (program, shell) => {
  program
    .command('bench')
    .description('time transforms, calibration and reconstruction on this machine')
    .option('--size <CxYxX>', 'coils, readout and phase encode, e.g. 15x640x368; may be repeated', collectSize)
    .option('--case <name>', 'time this one only; may be repeated', (name, names: string[] = []) => [...names, name])
    .option('--rounds <n>', 'runs of each', integer({ min: 1 }), 9)
    .option('--seed <n>', 'of the simulated slice', integer({ min: 0, max: 2 ** 32 - 1 }), 1)
    .option('--threads <n>', 'threads', integer({ min: 1 }), 1)
    .action((flags: Flags) => shell.run((session) => bench(flags, session)));
};

function collectSize(text: string, sizes: readonly SliceShape[] = []): readonly SliceShape[] {
  const [, coils, ny, nx] = /^(\d+)x(\d+)x(\d+)$/.exec(text) ?? [];
  if (nx === undefined) throw new InvalidArgumentError('It must be COILSxREADOUTxPHASE, such as 15x640x368.');
  return [...sizes, [Number(coils), Number(ny), Number(nx)]];
}

async function bench(flags: Flags, { signal, onProgress }: Session): Promise<Outcome> {
  const { size: shapes = SIZES, case: cases, rounds, seed, threads } = flags;
  const result = await runBenchmark({ shapes, cases, rounds, seed, threads, signal, onProgress });
  return { json: result, text: describe(result) };
}

function describe({ machine, rounds, rows }: BenchmarkResult): string {
  const { cpu, isa, threads, multiplyAddPeak, node } = machine;
  const head = [
    `${cpu}, ${isa}, ${threads} thread(s), Node ${node}; median of ${rounds} runs`,
    `multiply-adds: ${(multiplyAddPeak / 1e9).toFixed(0)} GFLOP/s at most; share: of what memory or half of that allows`,
  ];
  const columns = ['case', 'size', 'median', 'best', 'processor', 'memory', 'arithmetic', 'share', 'limit'];
  return [...head, table([columns, ...rows.map(cells)])].join('\n');
}

function cells(row: BenchmarkRow): string[] {
  const { title, shape, median, min, processor, memoryBound, arithmeticBound, share, limit } = row;
  const times = [median, min, processor, memoryBound, arithmeticBound].map(
    (seconds) => `${(1e3 * seconds).toFixed(2)} ms`,
  );
  return [title, shape.join('x'), ...times, `${(100 * share).toFixed(0)} %`, limit];
}
