// The form in which a graph runs fastest on the CPU, as ONNX bytes.
import { encodeOnnx } from './onnx.js';
import { toOnnx } from './onnx-model.js';
import { expandNodes } from './portable.js';
import type { Graph, Node } from './types.js';

/** Channels, in and out alike, from which ONNX Runtime's convolution overtakes the fused one. */
const MANY_CHANNELS = 128;

function isWideConvolution({ operator, inputs }: Node): boolean {
  return operator.name === 'Conv3x3' && Math.min(...inputs[1].shape.slice(0, 2)) >= MANY_CHANNELS;
}

/** ONNX bytes of `graph`, each operator in the faster of its forms. */
export function runnable(graph: Graph): Uint8Array {
  return encodeOnnx(toOnnx(expandNodes(graph, isWideConvolution)));
}
