// Normalisations of ONNX in terms of the operator table.
import { points, type Shape } from '../../arrays/complex-array.js';
import * as op from '../operations.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { Known } from './known.js';
import { axesOf } from './shape-rules.js';

const EPSILON = 1e-5;

/** [c] -> [c,1,...,1], to broadcast over the axes after the channels of x. */
const perChannel = (value: Value, x: Value): Value =>
  op.reshape(value, [value.shape[0], ...x.shape.slice(2).map(() => 1)]);

/** Scale and bias per channel, undefined where both change nothing. */
function affineOf(call: OnnxCall): op.InstanceNormOptions['affine'] {
  const [scale, bias] = [call.operand(1), call.operand(2)];
  const neutral = scale instanceof Known && scale.isAll(1) && bias instanceof Known && bias.isAll(0);
  return neutral ? undefined : { scale: call.value(1), bias: call.value(2) };
}

/** x [n,c,...] normalised over everything after the channels, with its activation. */
export function instanceNormalisation(call: OnnxCall, slope: number): Value {
  const x = call.value(0);
  const [n, c, ...rest] = x.shape;
  if (rest.length === 0) call.fail('has no pixels to normalise over');
  const options = { affine: affineOf(call), epsilon: call.float('epsilon', EPSILON), slope };
  if (rest.length === 2) return op.instanceNormLeakyRelu(x, options)[0];
  return op.reshape(op.instanceNormLeakyRelu(op.reshape(x, [n, c, 1, points(rest)]), options)[0], x.shape);
}

/** x normalised within blocks of equal length: `shape` is [1, blocks, 1, length] in any form. */
function normalised(x: Value, shape: Shape, epsilon: number): Value {
  return op.reshape(op.instanceNormLeakyRelu(op.reshape(x, shape), { epsilon, slope: 1 })[0], x.shape);
}

/** With the statistics of training, which stay as they are: y = scale (x - mean) / sqrt(variance + epsilon) + bias. */
const batchNormalization: Lowering = (call) => {
  call.expect('training_mode', 0);
  if (call.node.outputs.length > 1) call.fail('gives statistics of training; export the network in evaluation mode');
  const [x, scale, bias, mean, variance] = [call.value(0), call.value(1), call.value(2), call.known(3), call.known(4)];
  const epsilon = call.float('epsilon', EPSILON);
  const inverseDeviation = new Known(
    variance.shape,
    'float32',
    variance.data.map((v) => 1 / Math.sqrt(v + epsilon)),
  );
  const factor = op.multiply(scale, call.constant(inverseDeviation));
  const shift = op.subtract(bias, op.multiply(factor, call.constant(mean)));
  return op.add(op.multiply(x, perChannel(factor, x)), perChannel(shift, x));
};

const layerNormalization: Lowering = (call) => {
  if (call.node.outputs.length > 1) call.fail('its mean and deviation are not supported as results');
  const x = call.value(0);
  const [axis] = axesOf(call, [call.int('axis', -1)], x.shape.length);
  const [rows, length] = [points(x.shape.slice(0, axis)), points(x.shape.slice(axis))];
  const scaled = op.multiply(normalised(x, [1, rows, 1, length], call.float('epsilon', EPSILON)), call.value(1));
  return call.has(2) ? op.add(scaled, call.value(2)) : scaled;
};

const groupNormalization: Lowering = (call) => {
  const [x, scale, bias] = [call.value(0), call.value(1), call.value(2)];
  const [n, c, ...rest] = x.shape;
  const groups = call.int('num_groups', 1);
  const y = normalised(x, [n, groups, c / groups, points(rest)], call.float('epsilon', EPSILON));
  // Before opset 21 one number stood for each group.
  const spread = (value: Value): Value =>
    value.shape[0] === c ? value : op.reshape(op.expand(op.reshape(value, [groups, 1]), [groups, c / groups]), [c]);
  return op.add(op.multiply(y, perChannel(spread(scale), x)), perChannel(spread(bias), x));
};

/** Rules by operator. */
export const NORMALISATION: Readonly<Record<string, Lowering>> = {
  InstanceNormalization: (call) => instanceNormalisation(call, 1),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  Softmax(call) {
    const x = call.value(0);
    const [axis] = axesOf(call, [call.int('axis', call.opset < 13 ? 1 : -1)], x.shape.length);
    // It took all axes from this one on as one.
    if (call.opset < 13 && axis !== x.shape.length - 1)
      call.fail('before opset 13 Softmax works on the last axis only; export with opset 13 or later');
    return op.softmax(x, axis);
  },
};
