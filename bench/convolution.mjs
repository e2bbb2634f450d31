// larmor's 3x3 convolution and its gradients beside the same in ONNX Runtime's standard operators: node bench/convolution.mjs [rounds]
// Its rows hold the number of operations too: over the time, the rate.
import { allocateFloat32, points } from '../dist/arrays/complex-array.js';
import { GraphBuilder } from '../dist/graph/builder.js';
import { encodeOnnx } from '../dist/graph/onnx.js';
import { toOnnx } from '../dist/graph/onnx-model.js';
import { conv3x3, conv3x3WeightGradient } from '../dist/graph/operations.js';
import { toPortable } from '../dist/graph/portable.js';
import { createSession } from '../dist/runtime/session.js';
import { compare, contestant, numbers } from './support/harness.mjs';
import { noise } from './support/noise.mjs';

const [rounds = 15] = numbers;
const MAX_DIFFERENCE = 1e-5; // relative l2; float32 sums of up to 100 000 terms in two orders

async function bind(name, graph, feeds) {
  const session = await createSession(encodeOnnx(toOnnx(graph)), { threads: 1 });
  const [[output, { shape }]] = graph.outputs;
  const result = { type: 'float32', shape, data: allocateFloat32(points(shape)) };
  const inputs = graph.inputs.map(({ name, shape }) => [name, { type: 'float32', shape, data: feeds[name] }]);
  const binding = session.bind(Object.fromEntries(inputs), { [output]: result });
  const run = async () => {
    await binding.run();
    return result.data;
  };
  return { ...contestant(name, run), session };
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
    const ours = await bind('larmor', graph, feeds);
    const theirs = await bind('ONNX Runtime', toPortable(graph), feeds);
    const name = `${channels} channels, ${side}x${side}`;
    await compare(`3x3 convolution, ${kind}`, name, [ours, theirs], { rounds, agreement: MAX_DIFFERENCE, operations });
    for (const { session } of [ours, theirs]) session.close();
  }
}
