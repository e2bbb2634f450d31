import { expect, test } from 'vitest';
import { BENCHMARK_CASES } from '#larmor/benchmark/cases.js';
import { runBenchmark } from '#larmor/benchmark/run.js';
import { benchmarkSlice } from '#larmor/benchmark/slice.js';

const SHAPE = [4, 48, 40] as const;

test('every case runs, and takes longer than no time', async () => {
  const { machine, rows } = await runBenchmark({ shapes: [SHAPE], rounds: 2, seed: 1, threads: 1 });
  expect(rows.map((row) => row.case)).toEqual(BENCHMARK_CASES.map(({ name }) => name));
  expect(machine.multiplyAddPeak).toBeGreaterThan(1e8); // the slowest processor still sold adds faster
  for (const { median, min, bytes, operations, memoryBound, arithmeticBound, share, limit } of rows) {
    expect(min).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(min);
    expect(bytes).toBeGreaterThan(0);
    expect(operations).toBeGreaterThan(0);
    expect(share).toBe(Math.max(memoryBound, arithmeticBound) / min);
    expect(limit).toBe(memoryBound > arithmeticBound ? 'memory' : 'arithmetic');
  }
});

test('the bytes and operations of an FFT are those of the textbook', async () => {
  const { rows } = await runBenchmark({ shapes: [SHAPE], cases: ['fft2'], rounds: 1, seed: 1, threads: 1 });
  const points = 4 * 48 * 40;
  expect(rows[0].bytes).toBe(4 * 8 * points); // read and written twice
  expect(rows[0].operations).toBeCloseTo(5 * points * Math.log2(48 * 40), 0);
});

test('the same seed gives the same slice, zero outside its mask', async () => {
  const [first, again, other] = await Promise.all([1, 1, 2].map((seed) => benchmarkSlice(SHAPE, seed)));
  expect(again).toEqual(first);
  expect(other.kspace.data).not.toEqual(first.kspace.data);
  const { kspace, mask } = first;
  const leaked = kspace.data.some((value, i) => value !== 0 && mask.data[(i >> 1) % 40] === 0);
  expect(leaked).toBe(false);
});

test('a case that does not exist is refused by name', async () => {
  await expect(runBenchmark({ shapes: [SHAPE], cases: ['fft3'], rounds: 1, seed: 1 })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringContaining('fft2, normal-lines'),
  });
});

test('can be aborted', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(runBenchmark({ shapes: [SHAPE], rounds: 1, seed: 1, signal })).rejects.toBe(reason);
});
