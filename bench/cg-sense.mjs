// CG-SENSE beside `bart pics -l2` on the same k-space and maps: node bench/cg-sense.mjs [threads] [rounds]
// "30 iterations" is the whole call and the whole command; "per iteration" is the difference between 60 and 30 iterations, over 30.
// No time is printed unless the images agree.
import { espirit } from '../dist/calibration/espirit.js';
import { cgSense } from '../dist/solvers/sense.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, perIteration, report, takeTurns } from './support/harness.mjs';
import { relativeDifference } from './support/statistics.mjs';

const [threads = 1, rounds = 5] = numbers;
const LAMBDA = 0.001;
const MAX_DIFFERENCE = 1e-3;

for (const shape of [
  [8, 320, 320],
  [15, 320, 320],
  [15, 640, 368],
]) {
  const { kspace, mask } = await undersampledSlice(...shape);
  const { maps } = await espirit(kspace, { mask });
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  await bart.write('maps', { data: maps.data, shape });
  const ours = (maxIterations) =>
    cgSense(kspace, { maps, mask }, { lambda: LAMBDA, maxIterations, tolerance: 0, threads });
  const theirs = (iterations) =>
    bart.contestant(
      threads,
      'pics',
      '-d0',
      '-S',
      '-l2',
      '-r',
      `${LAMBDA}`,
      '-i',
      `${iterations}`,
      'kspace',
      'maps',
      'image',
    );
  const turns = (iterations) => takeTurns([contestant('larmor', () => ours(iterations)), theirs(iterations)], rounds);

  await theirs(30).time();
  const [, ny, nx] = shape;
  const wanted = await bart.read('image', [1, ny, nx]);
  const difference = relativeDifference((await ours(30)).x.data, wanted.data);
  if (!(difference <= MAX_DIFFERENCE)) throw new Error(`${shape}: the images differ by ${difference}`);
  const [short, long] = [await turns(30), await turns(60)];
  const row = { name: shape.join('x'), threads, agreement: `images differ by ${difference.toExponential(1)}` };
  report({ benchmark: 'CG-SENSE, 30 iterations', times: short, ...row });
  report({ benchmark: 'CG-SENSE, per iteration', times: perIteration(long, short, 30), ...row });
  await bart.close();
}
