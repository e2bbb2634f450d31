// Total variation beside `bart pics -R T` on the same k-space, maps and lambda: node bench/tv.mjs [threads] [rounds]
import { FiniteDifferences } from '../dist/operators/finite-differences.js';
import { totalVariation } from '../dist/solvers/total-variation.js';
import { compareRegularised } from './support/regularised.mjs';

const LAMBDA = 0.002;

await compareRegularised({
  name: 'TV',
  lambda: LAMBDA,
  flags: ['-R', `T:3:0:${LAMBDA}`],
  solve: totalVariation,
  async penalty(image) {
    const { data } = await new FiniteDifferences(image.shape).apply(image);
    const plane = data.length / 2;
    let sum = 0;
    for (let i = 0; i < plane; i += 2) sum += Math.hypot(data[i], data[i + 1], data[plane + i], data[plane + i + 1]);
    return sum;
  },
});
