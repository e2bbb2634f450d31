// fastMRI's end-to-end VarNet of 12 cascades, from k-space to an image, beside PyTorch: node bench/varnet.mjs [threads] [rounds]
import { GraphBuilder } from '../dist/graph/builder.js';
import { graphToOnnx } from '../dist/graph/onnx.js';
import { GraphInputs } from '../dist/networks/graph-inputs.js';
import { createNetwork } from '../dist/networks/network.js';
import { ParameterStore } from '../dist/networks/parameters.js';
import { createSession } from '../dist/runtime/session.js';
import { tensor } from '../dist/runtime/tensor.js';
import { eachCase, inMegabytes, peakBytes } from './support/cases.mjs';
import { contestant, numbers, peerContestants, report, takeTurns } from './support/harness.mjs';
import { measurement } from './support/measurement.mjs';
import { relativeDifference } from './support/statistics.mjs';

const [threads = 1, rounds = 3] = numbers;
const AGREEMENT = 1e-4;

const network = createNetwork('varnet', { cascades: 12 });
const weights = ParameterStore.initialise(network.parameters, 1);

await eachCase(
  [
    [15, 320, 320],
    [15, 640, 368],
  ],
  async (size) => {
    const data = measurement(...size);
    const { run, close } = await runner(data, size);
    const ours = contestant('larmor', run);
    const image = Float32Array.from(await run());
    await run();
    const peak = peakBytes();
    // One after the other: the store leaves gaps between them.
    const stored = Buffer.concat(weights.specs.map(({ name }) => Buffer.from(weights.get(name).slice().buffer)));
    const settings = {
      network: network.config,
      names: network.parameters.map(({ name }) => name),
      shapes: network.parameters.map(({ shape }) => shape),
      size,
    };
    const peer = await peerContestants('varnet.py', { ...data, weights: stored }, settings, threads);
    try {
      const [theirs] = peer.contestants;
      const difference = relativeDifference(await theirs.result(), image);
      if (!(difference <= AGREEMENT)) throw new Error(`VarNet: PyTorch differs from larmor by ${difference}`);
      const times = await takeTurns([ours, theirs], rounds);
      const memory = inMegabytes(peak, await theirs.peakBytes());
      const agreement = `results differ by ${difference.toExponential(1)}; ${memory}`;
      report({ benchmark: 'VarNet image', name: `12 cascades, ${size.join('x')}`, times, threads, agreement });
    } finally {
      peer.close();
      close();
    }
  },
);

/** Runs the network once and gives its image. */
async function runner({ kspace, mask, calibrationMask }, [coils, height, width]) {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { coils, height, width });
  graph.output('image', network.reconstruct(inputs, (name) => parameters.get(name)).coils.magnitude);
  const session = await createSession(graphToOnnx(graph), { threads });
  const image = tensor('float32', [1, height, width]);
  const binding = session.bind(
    {
      ...Object.fromEntries(
        weights.specs.map(({ name, shape }) => [name, tensor('float32', shape, weights.get(name))]),
      ),
      kspace: tensor('float32', [1, coils, height, width, 2], kspace),
      mask: tensor('float32', [1, 1, width], mask),
      calibrationMask: tensor('float32', [1, 1, width], calibrationMask),
    },
    { image },
  );
  const run = async () => {
    await binding.run();
    return image.data;
  };
  return { run, close: () => session.close() };
}
