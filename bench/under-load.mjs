// How much slower two threads become when another program keeps both processors busy: node bench/under-load.mjs [threads] [rounds]
// Fair shares alone make it twice as slow; threads that spin at barriers make it far worse.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { espirit } from '../dist/calibration/espirit.js';
import { EncodingOperator } from '../dist/operators/encoding.js';
import { cgSense } from '../dist/solvers/sense.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, peerContestants, report, takeTurns } from './support/harness.mjs';
import { median } from './support/statistics.mjs';

const [threads = 2, rounds = 7] = numbers;
const SHAPE = [15, 320, 320];
const ITERATIONS = 30;
const SETTLE_MS = 500; // until the busy loops have their share

const { kspace, mask } = await undersampledSlice(...SHAPE);
const { maps } = await espirit(kspace, { mask });
const oneSet = { data: maps.data, shape: SHAPE };
const image = { data: kspace.data.slice(0, 2 * SHAPE[1] * SHAPE[2]), shape: SHAPE.slice(1) };
const normal = new EncodingOperator({ maps: oneSet, mask });
const bart = await bartFolder();
await bart.write('kspace', kspace);
await bart.write('maps', oneSet);
const inputs = { maps: maps.data, kspace: kspace.data, image: image.data, mask: Float32Array.from(mask.data) };
const torch = await peerContestants(
  'encoding.py',
  inputs,
  { shape: SHAPE, method: 'normal', maskShape: mask.shape },
  threads,
);

const options = { lambda: 0.001, maxIterations: ITERATIONS, tolerance: 0, threads };
const pics = ['pics', '-d0', '-S', '-l2', '-r', '0.001', '-i', `${ITERATIONS}`, 'kspace', 'maps', 'image'];
const works = [
  {
    benchmark: `CG-SENSE, ${ITERATIONS} iterations`,
    contestants: [
      contestant('larmor', () => cgSense(kspace, { maps, mask }, options)),
      bart.contestant(threads, ...pics),
    ],
  },
  {
    benchmark: 'Aᴴ A x, mask of columns',
    contestants: [contestant('larmor', () => normal.normal(image, { threads })), ...torch.contestants],
  },
];
for (const { benchmark, contestants } of works) {
  const quiet = await takeTurns(contestants, rounds);
  const others = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  await sleep(SETTLE_MS);
  const loaded = await takeTurns(contestants, rounds);
  for (const other of others) other.kill();
  await sleep(SETTLE_MS);
  const slowdown = Object.fromEntries(
    contestants.map(({ name }) => {
      const [before, after] = [quiet, loaded].map((times) => median(times[name].map(([wall]) => wall)));
      return [name, after / before];
    }),
  );
  const agreement = Object.entries(slowdown).map(
    ([name, times]) => `${name} ${times.toFixed(1)} times as slow as alone`,
  );
  report({
    benchmark: `${benchmark}, both processors busy`,
    name: SHAPE.join('x'),
    times: loaded,
    threads,
    agreement: agreement.join(', '),
    slowdown,
  });
}
torch.close();
await bart.close();
