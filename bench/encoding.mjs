// The encoding operator and the l1 k-space loss with its gradient, beside their composition in PyTorch without shifts.
// Run: npm run build:ts && taskset -c 0 node bench/encoding.mjs
import { MT19937 } from '../dist/arrays/mt19937.js';
import { GraphBuilder } from '../dist/graph/builder.js';
import { encodeOnnx } from '../dist/graph/onnx.js';
import { toOnnx } from '../dist/graph/onnx-model.js';
import { EncodingOperator } from '../dist/operators/encoding.js';
import { createSession } from '../dist/runtime/session.js';
import { tensor } from '../dist/runtime/tensor.js';
import { createMask } from '../dist/sampling/mask.js';
import { compare, contestant, numbers, peerContestants } from './support/harness.mjs';

const SHAPES = [
  [8, 128, 128],
  [15, 320, 320],
  [15, 640, 368],
];
const [threads = 1, rounds = 15] = numbers;

const random = new MT19937(2);
const noise = (length) => new Float32Array(length).map(() => random.uniform(-1, 1));

/** Fused loss and gradient as a session runs it; resolves to the gradient, interleaved. */
async function lossSession([coils, ny, nx], maps, image, kspace, mask) {
  const graph = new GraphBuilder();
  const shapes = {
    image: [1, 2, ny, nx],
    maps: [1, coils, ny, nx, 2],
    mask: [1, 1, nx],
    heldOutMask: [1, 1, nx],
    kspace: [1, coils, ny, nx, 2],
  };
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, graph.input(name, shape)]));
  const order = [inputs.image, inputs.maps, inputs.mask, inputs.heldOutMask, inputs.kspace];
  const [loss, , gradient] = graph.apply('DataLoss', order, { norm: 'l1' });
  graph.output('loss', loss);
  graph.output('gradient', gradient);
  const session = await createSession(encodeOnnx(toOnnx(graph)), { threads });
  const planes = new Float32Array(2 * ny * nx);
  for (let i = 0; i < ny * nx; i++) [planes[i], planes[ny * nx + i]] = [image[2 * i], image[2 * i + 1]];
  const result = tensor('float32', shapes.image);
  const feeds = { image: planes, maps, mask, heldOutMask: new Float32Array(nx), kspace };
  const binding = session.bind(
    Object.fromEntries(Object.entries(feeds).map(([name, data]) => [name, tensor('float32', shapes[name], data)])),
    { loss: tensor('float32', [1]), gradient: result },
  );
  const run = async () => {
    await binding.run();
    return result.data;
  };
  return { session, run };
}

const interleave = (planes) => {
  const n = planes.length / 2;
  return Float32Array.from({ length: 2 * n }, (_, i) => planes[(i % 2) * n + (i >> 1)]);
};

for (const shape of SHAPES) {
  const [coils, ny, nx] = shape;
  const maps = noise(2 * coils * ny * nx);
  const kspace = noise(2 * coils * ny * nx);
  const image = noise(2 * ny * nx);
  const lines = createMask({ type: 'random', columns: nx, acceleration: 4, centerFraction: 0.08, seed: 3 });
  const points = {
    data: Uint8Array.from({ length: ny * nx }, () => (random.uniform() < 0.25 ? 1 : 0)),
    shape: [ny, nx],
  };
  const x = { data: image, shape: [ny, nx] };
  const y = { data: kspace, shape };
  const A = new EncodingOperator({ maps: { data: maps, shape }, mask: lines });
  const B = new EncodingOperator({ maps: { data: maps, shape }, mask: points });
  const cases = [
    {
      title: 'A x, mask of columns',
      method: 'forward',
      mask: lines,
      run: async () => (await A.apply(x, { threads })).data,
    },
    {
      title: 'Aᴴ y, mask of columns',
      method: 'adjoint',
      mask: lines,
      run: async () => (await A.adjoint(y, { threads })).data,
    },
    {
      title: 'Aᴴ A x, mask of columns',
      method: 'normal',
      mask: lines,
      run: async () => (await A.normal(x, { threads })).data,
    },
    {
      title: 'Aᴴ A x, mask of points',
      method: 'normal',
      mask: points,
      run: async () => (await B.normal(x, { threads })).data,
    },
  ];
  const loss = await lossSession(shape, maps, image, kspace, Float32Array.from(lines.data));
  cases.push({ title: 'l1 loss and gradient', method: 'loss', mask: lines, run: loss.run, view: interleave });
  for (const { title, method, mask, run, view = (result) => result } of cases) {
    const settings = { shape, method, maskShape: mask.shape };
    const peer = await peerContestants(
      'encoding.py',
      { maps, kspace, image, mask: Float32Array.from(mask.data) },
      settings,
      threads,
    );
    const ours = { ...contestant('larmor', run), result: async () => view(await run()) };
    await compare(title, shape.join('x'), [ours, ...peer.contestants], { threads, rounds });
    peer.close();
  }
  loss.session.close();
}
