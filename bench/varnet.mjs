// fastMRI's end-to-end VarNet, image and gradients, beside PyTorch: node bench/varnet.mjs [threads] [rounds]
import { GraphBuilder } from '../dist/graph/builder.js';
import { differentiate } from '../dist/graph/differentiate.js';
import { graphToOnnx } from '../dist/graph/onnx.js';
import { reduceSum } from '../dist/graph/operations.js';
import { GraphInputs } from '../dist/networks/graph-inputs.js';
import { createNetwork } from '../dist/networks/network.js';
import { ParameterStore } from '../dist/networks/parameters.js';
import { createSession } from '../dist/runtime/session.js';
import { tensor } from '../dist/runtime/tensor.js';
import { compare, contestant, numbers, peerContestants } from './support/harness.mjs';
import { noise } from './support/noise.mjs';

const [threads = 1, rounds = 3] = numbers;
const SIZE = [15, 320, 320];
const CENTRE = 26;
// Rounding switches leaky ReLUs that are near their kink: on such data PyTorch's own gradients in single and double precision differ by 4e-3.
const AGREEMENT = { image: 1e-4, gradients: 2e-2 };

await bench('image', 12);
await bench('gradients', 4);

/** Times the image, or the gradients of its sum by all parameters, of a network of so many cascades. */
async function bench(what, cascades) {
  const network = createNetwork('varnet', { cascades });
  const weights = ParameterStore.initialise(network.parameters, 1);
  const data = measurement();
  const name = `${cascades} cascades, ${SIZE.join('x')}`;
  const names = network.parameters.map((spec) => spec.name);
  const shapes = network.parameters.map((spec) => spec.shape);
  const settings = { what, network: network.config, names, shapes, size: SIZE };
  const inputs = { ...data, weights: concatenated(names.map((parameter) => weights.get(parameter))) };
  const session = await createSession(graphToOnnx(graphOf(network, what)), { threads });
  const peer = await peerContestants('varnet.py', inputs, settings, threads);
  try {
    const run = runner(session, network, weights, data, what);
    await compare(`VarNet ${what}`, name, [contestant('larmor', run), ...peer.contestants], {
      rounds,
      threads,
      agreement: AGREEMENT[what],
    });
  } finally {
    peer.close();
    session.close();
  }
}

/** Every fourth column of random k-space, and the centre. */
function measurement() {
  const [coils, height, width] = SIZE;
  const central = (x) => Math.abs(x + 0.5 - width / 2) < CENTRE / 2;
  const mask = Float32Array.from({ length: width }, (_, x) => (x % 4 === 0 || central(x) ? 1 : 0));
  const calibrationMask = Float32Array.from(mask, (_, x) => (central(x) ? 1 : 0));
  const kspace = noise(2 * coils * height * width, 3).map((value, i) => value * mask[(i >> 1) % width]);
  return { kspace, mask, calibrationMask };
}

function graphOf(network, what) {
  const [coils, height, width] = SIZE;
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { coils, height, width });
  const { magnitude } = network.reconstruct(inputs, (name) => parameters.get(name)).coils;
  if (what === 'image') graph.output('image', magnitude);
  else
    differentiate(reduceSum(magnitude), [...parameters.values()]).forEach((gradient, i) => {
      graph.output(`gradient.${network.parameters[i].name}`, gradient);
    });
  return graph;
}

/** Runs the session once and gives its outputs, one after the other. */
function runner(session, network, weights, { kspace, mask, calibrationMask }, what) {
  const [coils, height, width] = SIZE;
  const inputs = Object.fromEntries(
    network.parameters.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]),
  );
  inputs.kspace = tensor('float32', [1, coils, height, width, 2], kspace);
  inputs.mask = tensor('float32', [1, 1, width], mask);
  inputs.calibrationMask = tensor('float32', [1, 1, width], calibrationMask);
  const outputs =
    what === 'image'
      ? { image: tensor('float32', [1, height, width]) }
      : Object.fromEntries(network.parameters.map(({ name, shape }) => [`gradient.${name}`, tensor('float32', shape)]));
  const binding = session.bind(inputs, outputs);
  return async () => {
    await binding.run();
    return concatenated(Object.values(outputs).map(({ data }) => data));
  };
}

function concatenated(parts) {
  const all = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
