// larmor's 3x3 convolution and its gradients beside the same in ONNX Runtime's standard operators: node bench/convolution.mjs [rounds]
// Times are processor time on one thread, which other work on the machine disturbs least.
import { allocateFloat32, points } from '../dist/arrays/complex-array.js';
import { GraphBuilder } from '../dist/graph/builder.js';
import { encodeOnnx } from '../dist/graph/onnx.js';
import { toOnnx } from '../dist/graph/onnx-model.js';
import { conv3x3, conv3x3WeightGradient } from '../dist/graph/operations.js';
import { toPortable } from '../dist/graph/portable.js';
import { createSession } from '../dist/runtime/session.js';
import { noise } from './support/noise.mjs';

const [rounds = 15] = process.argv.slice(2).map(Number);
const MAX_DIFFERENCE = 1e-5; // relative l2; float32 sums of up to 100 000 terms in two orders

async function bind(graph, feeds) {
  const session = await createSession(encodeOnnx(toOnnx(graph)), { threads: 1 });
  const [[name, { shape }]] = graph.outputs;
  const result = { type: 'float32', shape, data: allocateFloat32(points(shape)) };
  const inputs = graph.inputs.map(({ name, shape }) => [name, { type: 'float32', shape, data: feeds[name] }]);
  return {
    run: session.bind(Object.fromEntries(inputs), { [name]: result }),
    session,
    result: result.data,
    best: Infinity,
  };
}

async function time(candidate) {
  const before = process.cpuUsage();
  await candidate.run.run();
  const { user, system } = process.cpuUsage(before);
  candidate.best = Math.min(candidate.best, (user + system) / 1e6);
}

function difference(a, b) {
  let [sum, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    sum += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(sum / norm);
}

const KINDS = {
  forward: (a, w) => conv3x3(a, w),
  'input gradient': (a, w) => conv3x3(a, w, { transposed: true }),
  'weight gradient': (a, _, b) => conv3x3WeightGradient(a, b),
};

for (const [channels, side] of [
  [32, 320],
  [64, 160],
  [128, 80],
  [256, 40],
  [512, 20],
]) {
  const image = [1, channels, side, side];
  const kernels = [channels, channels, 3, 3];
  const feeds = { a: noise(points(image), 1), b: noise(points(image), 2), w: noise(points(kernels), 3) };
  const operations = 18 * channels ** 2 * side ** 2;
  for (const [kind, build] of Object.entries(KINDS)) {
    const graph = new GraphBuilder();
    const [a, second] = kind === 'weight gradient' ? ['a', 'b'] : ['a', 'w'];
    const x = graph.input(a, image);
    const y = graph.input(second, second === 'b' ? image : kernels);
    graph.output('result', build(x, y, y));
    const ours = await bind(graph, feeds);
    const theirs = await bind(toPortable(graph), feeds);
    for (let round = 0; round < rounds; round++) for (const candidate of [ours, theirs]) await time(candidate);
    const error = difference(ours.result, theirs.result);
    if (!(error < MAX_DIFFERENCE)) throw new Error(`${kind}: the two differ by ${error}`);
    const rate = ({ best }) => (operations / best / 1e9).toFixed(0);
    console.log(
      `${channels} channels, ${side}x${side}, ${kind}: larmor ${rate(ours)}, ONNX Runtime ${rate(theirs)} GFLOP/s`,
    );
    for (const { session } of [ours, theirs]) session.close();
  }
}
