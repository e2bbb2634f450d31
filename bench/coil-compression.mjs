// Coil compression beside `bart cc` on the same k-space, 15 or 32 coils to 8: node bench/coil-compression.mjs [threads] [rounds]
// "whole" is the call, matrices found and applied, and the whole command; "marginal" takes from every command the time that `bart copy`
// needs for the same file. No time is printed unless the virtual coils hold the same image.
import { compressCoils, geometricCompression, svdCompression } from '../dist/calibration/coil-compression.js';
import { ifft2 } from '../dist/operators/fft2.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, perIteration, report, takeTurns } from './support/harness.mjs';
import { relativeDifference } from './support/statistics.mjs';

const [threads = 1, rounds = 9] = numbers;
const COILS = 8;

/** Both methods, BART's flag of each, and the largest difference of the images' energies: BART finds geometric matrices otherwise. */
const METHODS = [
  { name: 'svd', compress: svdCompression, flag: '-S', agreement: 1e-3 },
  { name: 'geometric', compress: geometricCompression, flag: '-G', agreement: 1e-2 },
];

/** Sum over the coils of |image|^2, which does not depend on how virtual coils of one space are turned. */
async function energy(kspace) {
  const { data, shape } = await ifft2(kspace);
  const sums = new Float32Array(shape[1] * shape[2]);
  for (let i = 0; i < data.length; i += 2) sums[(i / 2) % sums.length] += data[i] ** 2 + data[i + 1] ** 2;
  return sums;
}

for (const shape of [
  [15, 320, 320],
  [15, 640, 368],
  [32, 320, 320],
])
  for (const { name, compress, flag, agreement } of METHODS) {
    const { kspace, mask } = await undersampledSlice(...shape);
    const bart = await bartFolder();
    await bart.write('kspace', kspace);
    const theirs = bart.contestant(threads, 'cc', '-p', `${COILS}`, flag, 'kspace', 'virtual');
    const copy = bart.contestant(threads, 'copy', 'kspace', 'copy');
    const ours = async () =>
      compressCoils(kspace, await compress(kspace, { coils: COILS, mask, threads }), { threads });

    await theirs.time();
    const wanted = await energy(await bart.read('virtual', [COILS, ...shape.slice(1)]));
    const difference = relativeDifference(await energy(await ours()), wanted);
    if (!(difference <= agreement)) throw new Error(`${name} ${shape}: the images' energies differ by ${difference}`);
    const nothing = { name: 'larmor', time: async () => [0, 0] };
    const whole = await takeTurns([contestant('larmor', ours), theirs], rounds);
    const files = await takeTurns([nothing, copy], rounds);
    const row = {
      name: `${name} ${shape.join('x')}`,
      threads,
      agreement: `energies differ by ${difference.toExponential(1)}`,
    };
    report({ benchmark: 'Coil compression, whole', times: whole, ...row });
    report({ benchmark: 'Coil compression, marginal', times: perIteration(whole, files, 1), ...row });
    await bart.close();
  }
