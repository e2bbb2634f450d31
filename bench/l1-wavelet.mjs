// l1-wavelet beside `bart pics -R W` on the same k-space, maps and lambda: node bench/l1-wavelet.mjs [threads] [rounds]
// First the value of one functional at the images of both, for three kinds of masks; then times of 60 and 100 iterations, and of one.
// No time is printed where larmor's value is more than 1 % above BART's. BART's times are those of the whole command.
import { espirit } from '../dist/calibration/espirit.js';
import { EncodingOperator } from '../dist/operators/encoding.js';
import { Wavelet } from '../dist/operators/wavelet.js';
import { dataScale } from '../dist/solvers/data-scale.js';
import { l1Wavelet } from '../dist/solvers/l1-wavelet.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, perIteration, report, takeTurns } from './support/harness.mjs';

const [threads = 1, rounds = 5] = numbers;
const LAMBDA = 0.002;
const MAX_EXCESS = 0.01;

/** k-space, maps and mask, also as BART's files. */
async function problem(shape, kind) {
  const { kspace, mask } = await undersampledSlice(...shape, kind);
  const { maps } = await espirit(kspace, { mask });
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  await bart.write('maps', { data: maps.data, shape });
  const settings = { lambda: LAMBDA, cycleSpinning: false, tolerance: 0, threads };
  return {
    kspace,
    maps,
    mask,
    bart,
    ours: (maxIterations) => l1Wavelet(kspace, { maps, mask }, { ...settings, maxIterations }),
    theirs: (iterations) => {
      const prior = ['-R', `W:3:0:${LAMBDA}`, '-i', `${iterations}`];
      return bart.contestant(threads, 'pics', '-d0', '-S', '-n', ...prior, 'kspace', 'maps', 'image');
    },
  };
}

/** 1/2 ||A x - y||^2 + lambda s ||W x||_1 at both images after `iterations`, as a line of text; throws where ours is too large. */
async function objectives({ kspace, maps, mask, bart, ours, theirs }, iterations) {
  const [coils, ny, nx] = kspace.shape;
  const [encoding, wavelet] = [new EncodingOperator({ maps, mask }), new Wavelet([1, ny, nx])];
  const weight = LAMBDA * (await dataScale(kspace, mask));
  const objective = async (image) => {
    const residual = await encoding.apply(image);
    const coefficients = await wavelet.apply(image);
    let value = 0;
    for (let i = 0; i < 2 * coils * ny * nx; i++) value += (residual.data[i] - kspace.data[i]) ** 2 / 2;
    for (let i = 0; i < 2 * ny * nx; i += 2) value += weight * Math.hypot(...coefficients.data.subarray(i, i + 2));
    return value;
  };
  await theirs(iterations).time();
  const [mine, bartValue] = [(await ours(iterations)).x, await bart.read('image', [1, ny, nx])];
  const ratio = (await objective(mine)) / (await objective(bartValue));
  const line = `objective ${ratio.toFixed(4)} of BART's after ${iterations} iterations`;
  if (!(ratio <= 1 + MAX_EXCESS)) throw new Error(line);
  return line;
}

for (const kind of ['random', 'equispaced', 'points']) {
  const made = await problem([8, 320, 320], kind);
  console.log(`l1-wavelet, 8x320x320, mask of ${kind}: ${await objectives(made, 100)}`);
  await made.bart.close();
}

for (const shape of [
  [8, 320, 320],
  [15, 320, 320],
  [15, 640, 368],
]) {
  const made = await problem(shape, 'random');
  const { bart, ours, theirs } = made;
  const turns = (iterations) => takeTurns([contestant('larmor', () => ours(iterations)), theirs(iterations)], rounds);
  const row = { name: shape.join('x'), threads };
  const agreements = [await objectives(made, 60), await objectives(made, 100)];
  const [short, long] = [await turns(60), await turns(100)];
  report({ benchmark: 'l1-wavelet, 60 iterations', times: short, agreement: agreements[0], ...row });
  report({ benchmark: 'l1-wavelet, 100 iterations', times: long, agreement: agreements[1], ...row });
  const times = perIteration(long, short, 40);
  report({ benchmark: 'l1-wavelet, per iteration', times, agreement: agreements[1], ...row });
  await bart.close();
}
