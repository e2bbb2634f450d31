// CG-SENSE of simulated slices on a CUDA device against the processor: one slice, a batch, and a hundred in a row.

import { undersampledSlice } from '../bench/support/bart.mjs';
import { CudaContext, cgSense, deviceCgSense, espirit, LarmorError } from '../dist/index.js';
import { bench, check, print, quick, skip, timed } from './lines.mjs';

const OPTIONS = { lambda: 0.01, maxIterations: 30, tolerance: 0 };
// Each kernel is good for 1e-5, and 30 iterations hand rounding on.
const LIMIT = 1e-4;
const [coils, ny, nx] = quick ? [6, 160, 92] : [15, 640, 368];
const SLICES = quick ? 3 : 36;
const IN_A_ROW = quick ? 5 : 100;

async function openDevice() {
  try {
    return await CudaContext.open(0);
  } catch (error) {
    if (!(error instanceof LarmorError && error.code === 'ERR_DEVICE')) throw error;
    skip(error.message);
    return undefined;
  }
}

async function checkSlices(cuda, kind) {
  const { kspace, mask } = await undersampledSlice(coils, ny, nx, kind);
  const { maps } = await espirit(kspace, { mask });
  const slice = { kspace, maps, mask };
  const { x: want } = await cgSense(kspace, { maps, mask }, OPTIONS);
  const size = `${coils}x${ny}x${nx}, ${kind}`;
  const [{ x: first }] = await deviceCgSense(cuda, [slice], OPTIONS);
  check('CG-SENSE', size, first.data, want.data, LIMIT);

  // Slices of different brightness, whose images are multiples of the first.
  const brightness = (i) => 1 + i / SLICES;
  const scaled = (array, factor) => ({ ...array, data: array.data.map((value) => value * factor) });
  const batch = Array.from({ length: SLICES }, (_, i) => ({ ...slice, kspace: scaled(kspace, brightness(i)) }));
  const results = await deviceCgSense(cuda, batch, OPTIONS);
  for (const i of new Set([0, SLICES >> 1, SLICES - 1]))
    check('CG-SENSE', `${size}, slice ${i} of ${SLICES}`, results[i].x.data, scaled(want, brightness(i)).data, LIMIT);
  return { slice, first, batch, size };
}

/** Device memory flat, the same bits every time. */
async function manyInARow(cuda, { slice, first, size }) {
  let [different, grown] = [0, 0];
  let before;
  const look = async ([{ x }]) => {
    if (x.data.some((value, i) => !Object.is(value, first.data[i]))) different++;
    const { arrays, arrayBytes, workBytes } = await cuda.memory();
    const use = `${arrays} arrays, ${arrayBytes} bytes, scratch ${workBytes}`;
    if (before !== undefined && use !== before) grown++;
    before = use;
  };
  const times = await timed(IN_A_ROW, () => deviceCgSense(cuda, [slice], OPTIONS), look);
  const ok = different === 0 && grown === 0;
  const detail = `${different} results with other bits, ${grown} changes of device memory; at last ${before}`;
  print({ kind: 'check', name: 'slices in a row', case: `${IN_A_ROW} of ${size}`, ok, detail });
  bench('CG-SENSE, 30 iterations, transfers and host included', `slice of ${size}`, times);
}

const cuda = await openDevice();
if (cuda) {
  try {
    const lines = await checkSlices(cuda, 'random');
    await manyInARow(cuda, lines);
    bench(
      'CG-SENSE, 30 iterations, transfers and host included',
      `${SLICES} slices of ${lines.size}`,
      await timed(3, () => deviceCgSense(cuda, lines.batch, OPTIONS)),
    );
    await checkSlices(cuda, 'points');
  } finally {
    await cuda[Symbol.asyncDispose]();
  }
}
