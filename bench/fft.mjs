// Centred unitary 2-D FFTs of coil stacks beside FFTW, SciPy and PyTorch: node bench/fft.mjs [threads] [rounds] [--all]
// FFTW, where it is installed, and on one thread only. --all adds further sizes: powers of two, odd factors, primes.
import { MT19937 } from '../dist/arrays/mt19937.js';
import { fft2 } from '../dist/operators/fft2.js';
import { compare, contestant, numbers, peerContestants } from './support/harness.mjs';
import { buildPeer } from './support/peer.mjs';

const [threads = 1, rounds = 15] = numbers;
const SHAPES = [
  [15, 320, 320],
  [15, 640, 368],
  [15, 640, 372],
];
const MORE = [
  [15, 256, 256],
  [15, 512, 512],
  [15, 768, 396],
  [15, 640, 322],
  [15, 640, 386],
  [15, 218, 170],
  [15, 367, 311],
];
const fftw = threads === 1 ? buildPeer('fftw.cc', '-lfftw3f') : undefined;

for (const shape of process.argv.includes('--all') ? [...SHAPES, ...MORE] : SHAPES) {
  const random = new MT19937(1);
  const data = new Float32Array(2 * shape.reduce((a, b) => a * b)).map(() => random.uniform(-1, 1));
  const ours = contestant('larmor, centred', async () => (await fft2({ data, shape }, { threads })).data);
  const peers = [await peerContestants('fft.py', { x: data }, { shape }, threads)];
  if (fftw) peers.push(await peerContestants(fftw, { x: data }, { shape }));
  await compare('FFT2', shape.join('x'), [ours, ...peers.flatMap(({ contestants }) => contestants)], {
    threads,
    rounds,
  });
  for (const peer of peers) peer.close();
}
