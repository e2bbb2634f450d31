// CG-SENSE beside `bart pics -l2` on the same k-space and maps: node bench/cg-sense.mjs [threads] [rounds]
// "30 iterations" is the whole call and the whole command; "per iteration" is the difference between 60 and 30 iterations, over 30.
// First the images of both and the value of 1/2 ||A x - y||^2 + lambda / 2 ||x||^2 at them, for three kinds of masks; no time is printed unless
// the images agree.
import { espirit } from '../dist/calibration/espirit.js';
import { EncodingOperator } from '../dist/operators/encoding.js';
import { cgSense } from '../dist/solvers/sense.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, perIteration, report, takeTurns } from './support/harness.mjs';
import { relativeDifference } from './support/statistics.mjs';

const [threads = 1, rounds = 5] = numbers;
const LAMBDA = 0.001;
const MAX_DIFFERENCE = 1e-3;

/** k-space, maps and mask, also as BART's files, and both solvers. */
async function problem(shape, kind) {
  const { kspace, mask } = await undersampledSlice(...shape, kind);
  const { maps } = await espirit(kspace, { mask });
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  await bart.write('maps', { data: maps.data, shape });
  const ours = (maxIterations) =>
    cgSense(kspace, { maps, mask }, { lambda: LAMBDA, maxIterations, tolerance: 0, threads });
  const theirs = (iterations) => {
    const options = ['-l2', '-r', `${LAMBDA}`, '-i', `${iterations}`];
    return bart.contestant(threads, 'pics', '-d0', '-S', ...options, 'kspace', 'maps', 'image');
  };
  const objective = async (image) => {
    const residual = await new EncodingOperator({ maps, mask }).apply(image);
    let value = 0;
    for (let i = 0; i < kspace.data.length; i++) value += (residual.data[i] - kspace.data[i]) ** 2 / 2;
    for (const part of image.data) value += (LAMBDA * part ** 2) / 2;
    return value;
  };
  return { bart, ours, theirs, objective };
}

/** How far the images of 30 iterations agree, as a line of text; throws where they do not. */
async function agreement({ bart, ours, theirs, objective }, [, ny, nx]) {
  await theirs(30).time();
  const [mine, wanted] = [(await ours(30)).x, await bart.read('image', [1, ny, nx])];
  const difference = relativeDifference(mine.data, wanted.data);
  const ratio = (await objective(mine)) / (await objective({ data: wanted.data, shape: mine.shape }));
  const line = `images differ by ${difference.toExponential(1)}, objective ${ratio.toFixed(5)} of BART's`;
  if (!(difference <= MAX_DIFFERENCE)) throw new Error(line);
  return line;
}

for (const kind of ['random', 'equispaced', 'points']) {
  const shape = [8, 320, 320];
  const made = await problem(shape, kind);
  console.log(`CG-SENSE, 8x320x320, mask of ${kind}: ${await agreement(made, shape)}`);
  await made.bart.close();
}

for (const shape of [
  [8, 320, 320],
  [15, 320, 320],
  [15, 640, 368],
]) {
  const made = await problem(shape, 'random');
  const turns = (iterations) =>
    takeTurns([contestant('larmor', () => made.ours(iterations)), made.theirs(iterations)], rounds);
  const row = { name: shape.join('x'), threads, agreement: await agreement(made, shape) };
  const [short, long] = [await turns(30), await turns(60)];
  report({ benchmark: 'CG-SENSE, 30 iterations', times: short, ...row });
  report({ benchmark: 'CG-SENSE, per iteration', times: perIteration(long, short, 30), ...row });
  await made.bart.close();
}
