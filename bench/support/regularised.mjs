// A regularised solver beside `bart pics -R` on the same k-space, maps and lambda: values of one functional, then times.
import { espirit } from '../../dist/calibration/espirit.js';
import { EncodingOperator } from '../../dist/operators/encoding.js';
import { dataScale } from '../../dist/solvers/data-scale.js';
import { bartFolder, undersampledSlice } from './bart.mjs';
import { contestant, numbers, perIteration, report, takeTurns } from './harness.mjs';

const MAX_EXCESS = 0.01;

/**
 * Prints the values of 1/2 ||A x - y||^2 + lambda s penalty(x) at the images of both for three kinds of masks, then times of 60 and 100
 * iterations, and of one. No time is printed where larmor's value is more than 1 % above BART's. BART's times are those of the whole command.
 *
 * @param contest `name`, `lambda`, `flags` of pics, `solve(kspace, model, options)`, and `penalty(image)` for an image [1, y, x].
 */
export async function compareRegularised(contest) {
  for (const kind of ['random', 'equispaced', 'points']) {
    const made = await problem(contest, [8, 320, 320], kind);
    console.log(`${contest.name}, 8x320x320, mask of ${kind}: ${await objectives(contest, made, 100)}`);
    await made.bart.close();
  }
  const [threads = 1, rounds = 5] = numbers;
  for (const shape of [
    [8, 320, 320],
    [15, 320, 320],
    [15, 640, 368],
  ]) {
    const made = await problem(contest, shape, 'random');
    const turns = (iterations) =>
      takeTurns([contestant('larmor', () => made.ours(iterations)), made.theirs(iterations)], rounds);
    const row = { name: shape.join('x'), threads };
    const agreements = [await objectives(contest, made, 60), await objectives(contest, made, 100)];
    const [short, long] = [await turns(60), await turns(100)];
    report({ benchmark: `${contest.name}, 60 iterations`, times: short, agreement: agreements[0], ...row });
    report({ benchmark: `${contest.name}, 100 iterations`, times: long, agreement: agreements[1], ...row });
    const times = perIteration(long, short, 40);
    report({ benchmark: `${contest.name}, per iteration`, times, agreement: agreements[1], ...row });
    await made.bart.close();
  }
}

/** k-space, maps and mask, also as BART's files, and both solvers. */
async function problem({ lambda, flags, solve }, shape, kind) {
  const [threads = 1] = numbers;
  const { kspace, mask } = await undersampledSlice(...shape, kind);
  const { maps } = await espirit(kspace, { mask });
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  await bart.write('maps', { data: maps.data, shape });
  return {
    kspace,
    maps,
    mask,
    bart,
    ours: (maxIterations) => solve(kspace, { maps, mask }, { lambda, tolerance: 0, threads, maxIterations }),
    theirs: (iterations) =>
      bart.contestant(threads, 'pics', '-d0', '-S', ...flags, '-i', `${iterations}`, 'kspace', 'maps', 'image'),
  };
}

/** The functional at both images after `iterations`, as a line of text; throws where ours is too large. */
async function objectives({ lambda, penalty }, { kspace, maps, mask, bart, ours, theirs }, iterations) {
  const [coils, ny, nx] = kspace.shape;
  const encoding = new EncodingOperator({ maps, mask });
  const weight = lambda * (await dataScale(kspace, mask));
  const objective = async (image) => {
    const residual = await encoding.apply(image);
    let value = weight * (await penalty(image));
    for (let i = 0; i < 2 * coils * ny * nx; i++) value += (residual.data[i] - kspace.data[i]) ** 2 / 2;
    return value;
  };
  await theirs(iterations).time();
  const [mine, bartValue] = [(await ours(iterations)).x, await bart.read('image', [1, ny, nx])];
  const ratio = (await objective(mine)) / (await objective(bartValue));
  const line = `objective ${ratio.toFixed(4)} of BART's after ${iterations} iterations`;
  if (!(ratio <= 1 + MAX_EXCESS)) throw new Error(line);
  return line;
}
