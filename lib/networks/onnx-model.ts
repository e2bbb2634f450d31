// Models out of ONNX files, and larmor's models as ONNX files.
import { basename } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import { LarmorError, naming } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { decodeOnnx } from '../graph/onnx.js';
import type { OnnxModel, OnnxTensor } from '../graph/onnx-model.js';
import { readBytes, withInput } from '../io/input-file.js';
import type { ImageNetwork } from './image-network.js';
import type { Model } from './model.js';
import { onnxNetworkOf, trainedInitializers } from './onnx-network.js';
import { ParameterStore } from './parameters.js';
import type { ImportOptions } from './torch-model.js';

/** Image sides to try a network on whose file leaves them open. */
const TRIAL_SIDE = 256;

/**
 * The network in an `.onnx` file as a model that runs, trains, adapts and saves like larmor's own.
 *
 * Parameters are the float32 initialisers of one axis or more, under the names of the file; statistics of batch normalisation and other
 * numbers stay as they are. The network must map one image [n,c,y,x] to another.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_MODEL` when the file is no such model; `ERR_GRAPH` naming the node and the nearest
 *   supported operator when one is not supported.
 * @see docs/models.md for the operators.
 */
export async function importOnnx(path: string, { input = 'sense' }: ImportOptions = {}): Promise<Model> {
  const bytes = await withInput(path, (file, length) => readBytes(file, 0, length));
  return naming(path, () => {
    const model = decodeOnnx(bytes);
    const network = onnxNetworkOf(model);
    expectBuildable(network, model);
    const weights = new Map(
      trainedInitializers(model).map((name) => [
        name,
        floats(model.initializers.find((tensor) => tensor.name === name)),
      ]),
    );
    const notes = { imported: basename(path), producer: model.producer };
    return { network, weights: ParameterStore.from(network.parameters, weights), input, notes };
  });
}

function floats(tensor: OnnxTensor | undefined): RealArray {
  if (!tensor) throw new LarmorError('ERR_INTERNAL', 'importOnnx: a parameter without its initialiser');
  // A copy: the bytes may begin anywhere in the file.
  return { data: new Float32Array(new Uint8Array(tensor.bytes).buffer), shape: tensor.shape };
}

/** Builds the network once, so that what is not supported shows now and not at the first slice. */
function expectBuildable(network: ImageNetwork, { inputs }: OnnxModel): void {
  const graph = new GraphBuilder();
  const shape = inputs[0].shape.map((n, axis) => {
    if (typeof n === 'number' && n > 0) return n;
    return axis === 0 ? 1 : TRIAL_SIDE;
  });
  const image = graph.input('input', shape);
  const parameters = new Map(
    network.parameters.map((spec) => [spec.name, graph.input(`parameter.${spec.name}`, spec.shape)]),
  );
  const output = network.build(image, (name) => parameters.get(name) ?? image);
  const [n, , height, width] = shape;
  if (String(output.shape) !== String([n, network.outChannels, height, width]))
    throw new LarmorError(
      'ERR_MODEL',
      `ONNX: the network makes [${output.shape}] of an image [${shape}]; it must keep the size`,
    );
}
