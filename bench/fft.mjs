// Centred unitary 2-D FFTs of coil stacks beside SciPy and PyTorch. Run: npm run build:ts && taskset -c 0 node bench/fft.mjs
import { MT19937 } from '../dist/arrays/mt19937.js';
import { fft2 } from '../dist/operators/fft2.js';
import { compare, contestant, numbers, peerContestants } from './support/harness.mjs';

const SHAPES = [
  [15, 320, 320],
  [15, 640, 368],
  [15, 640, 372],
];
const [threads = 1, rounds = 15] = numbers;

for (const shape of SHAPES) {
  const random = new MT19937(1);
  const data = new Float32Array(2 * shape.reduce((a, b) => a * b)).map(() => random.uniform(-1, 1));
  const ours = contestant('larmor, centred', async () => (await fft2({ data, shape }, { threads })).data);
  const peer = await peerContestants('fft.py', { x: data }, { shape }, threads);
  await compare('FFT2', shape.join('x'), [ours, ...peer.contestants], { threads, rounds });
  peer.close();
}
