// CG-SENSE beside `bart pics -l2` on the same k-space and maps: node bench/cg-sense.mjs [threads] [rounds]
// "30 iterations" is the whole call and the whole command; "per iteration" is the difference of the best for 60 and for 30 iterations, over 30.
// No time is printed unless the images agree.
import { espirit } from '../dist/calibration/espirit.js';
import { cgSense } from '../dist/solvers/sense.js';
import { bartFolder, inTurns, timed, undersampledSlice } from './support/bart.mjs';
import { relativeDifference } from './support/statistics.mjs';

const [threads = 1, rounds = 5] = process.argv.slice(2).map(Number);
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
    bart.run(threads, 'pics', '-d0', '-S', '-l2', '-r', `${LAMBDA}`, '-i', `${iterations}`, 'kspace', 'maps', 'image');
  theirs(30);
  const [, ny, nx] = shape;
  const wanted = await bart.read('image', [1, ny, nx]);
  const difference = relativeDifference((await ours(30)).x.data, wanted.data);
  if (!(difference <= MAX_DIFFERENCE)) throw new Error(`${shape}: the images differ by ${difference}`);
  const title = `CG-SENSE, ${shape.join('x')}, ${threads} thread(s), images differ by ${difference.toExponential(1)}`;
  const run = (iterations) =>
    inTurns(
      `${title}, ${iterations} iterations`,
      rounds,
      () => timed(() => ours(iterations)),
      () => theirs(iterations),
    );
  const [short, long] = [await run(30), await run(60)];
  const perIteration = (who) => `${((1e3 * (long[who] - short[who])) / 30).toFixed(1)} ms`;
  console.log(`  per iteration: larmor ${perIteration('ours')}, BART ${perIteration('theirs')}`);
  await bart.close();
}
