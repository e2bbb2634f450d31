// GRAPPA of uniform lines with 24 centre lines beside NumPy: node bench/grappa.mjs [threads] [rounds]
import { grappa } from '../dist/calibration/grappa.js';
import { renderPhantom } from '../dist/simulation/phantom.js';
import { simulateScan } from '../dist/simulation/scan.js';
import { compare, contestant, numbers, peerContestants } from './support/harness.mjs';

const [threads = 1, rounds = 9] = numbers;
const CENTER_LINES = 24;
const [kernel, lambda] = [[5, 5], 0.01];
const AGREEMENT = 1e-5; // float32 sums of up to 375 products

for (const [coils, size] of [
  [8, 256],
  [15, 320],
]) {
  const object = await renderPhantom({ family: 'head', seed: 1, size, contrast: 't2' });
  const full = (await simulateScan(object, { seed: 1, coils, snr: 50 })).kspace.data;
  const shape = [coils, size, size];
  const column = (size - CENTER_LINES) / 2;
  for (const acceleration of [2, 3]) {
    const lines = Uint8Array.from({ length: size }, (_, x) =>
      x % acceleration === 0 || (x >= column && x < column + CENTER_LINES) ? 1 : 0,
    );
    const data = full.map((value, i) => value * lines[(i >> 1) % size]);
    const options = {
      ...{ mask: { data: lines, shape: [size] }, kernel, lambda, threads },
      calibration: { row: 0, rows: size, column, columns: CENTER_LINES },
    };
    const ours = contestant('larmor', async () => (await grappa({ data, shape }, options)).kspace.data);
    const settings = { shape, kernel, lambda, calibration: [column, column + CENTER_LINES] };
    const peer = await peerContestants(
      'grappa.py',
      { kspace: data, lines: Float32Array.from(lines) },
      settings,
      threads,
    );
    const name = `${shape.join('x')}, R = ${acceleration}`;
    await compare('GRAPPA', name, [ours, ...peer.contestants], { threads, rounds, agreement: AGREEMENT });
    peer.close();
  }
}
