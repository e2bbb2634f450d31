// fastMRI's U-Net: names, order and initial distribution of its parameters as in PyTorch, so that weights can be exchanged.
import { z } from 'zod';
import { LarmorError } from '../errors.js';
import { add, averagePool, conv, conv3x3, convTranspose2x2, instanceNormLeakyRelu, pad } from '../graph/operations.js';
import type { Value } from '../graph/types.js';
import { type ImageNetwork, imageNetworkOf } from './image-network.js';
import type { ParameterSpec } from './network.js';
import { networkSettings } from './settings.js';

const schema = z.strictObject({
  inChannels: z.int().min(1).default(2),
  outChannels: z.int().min(1).default(2),
  /** Channels of the first level; each level below has twice as many. */
  channels: z.int().min(1).max(1024).default(32),
  /** Levels below the first. */
  pools: z.int().min(1).max(8).default(4),
  /** Add the input to the output. Needs as many output as input channels. */
  residual: z.boolean().default(false),
  /** Give every instance normalisation a trained scale and bias. */
  affine: z.boolean().default(false),
});

export type UnetConfig = z.output<typeof schema>;

const SLOPE = 0.2;
const EPSILON = 1e-5;

/**
 * fastMRI's U-Net, with two options it lacks: `residual` and `affine`.
 *
 * Images of any size from 2^pools pixels a side; where a side is odd, the upsampled image is mirrored by one pixel at the right or
 * bottom, as fastMRI does.
 *
 * @param config `UnetConfig` with any field left out: 2 channels in and out, 32 channels, 4 pools, neither residual nor affine.
 * @throws LarmorError `ERR_MODEL` naming the first wrong field.
 * @see Ronneberger, Fischer, Brox, MICCAI 2015; Zbontar et al., arXiv:1811.08839.
 */
export function createUnet(config: unknown = {}): ImageNetwork {
  const settings = networkSettings('unet', schema, config);
  if (settings.residual && settings.inChannels !== settings.outChannels)
    throw new LarmorError(
      'ERR_MODEL',
      `unet: residual needs as many output as input channels, got ${settings.inChannels} in and ${settings.outChannels} out`,
    );
  return imageNetworkOf({
    kind: 'unet',
    config: settings,
    parameters: unetParameters(settings),
    inChannels: settings.inChannels,
    outChannels: settings.outChannels,
    build: (input, parameter) => buildUnet(settings, input, parameter),
  });
}

/** Where the blocks of level `level` (0 is the full image) lie in PyTorch's module tree. */
const downName = (level: number): string => `down_sample_layers.${level}`;
const upscaleName = (level: number, pools: number): string => `up_transpose_conv.${pools - 1 - level}`;
/** fastMRI wraps the last block and the final 1x1 convolution in one more module. */
const upName = (level: number, pools: number): string => `up_conv.${pools - 1 - level}${level === 0 ? '.0' : ''}`;
const finalName = (pools: number): string => `up_conv.${pools - 1}.1`;

/** Every parameter of the network, in the order in which PyTorch draws their initial values. */
function unetParameters({ inChannels, outChannels, channels, pools, affine }: UnetConfig): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  let part: ParameterSpec['part'] = 'encoder';
  // PyTorch starts convolutions uniform within 1 / sqrt(fan in), where a transposed one counts its output channels.
  const addConv = (name: string, shape: readonly number[], role?: ParameterSpec['role']): void => {
    const bound = 1 / Math.sqrt(shape[1] * shape[2] * shape[3]);
    specs.push({ name: `${name}.weight`, shape, initial: { bound }, part, role });
  };
  const addNorm = (name: string, width: number): void => {
    if (!affine) return;
    specs.push({ name: `${name}.weight`, shape: [width], initial: { value: 1 }, part, role: 'scale' });
    specs.push({ name: `${name}.bias`, shape: [width], initial: { value: 0 }, part, role: 'scale' });
  };
  const addBlock = (name: string, from: number, to: number): void => {
    addConv(`${name}.layers.0`, [to, from, 3, 3], specs.length === 0 ? 'first' : undefined);
    addNorm(`${name}.layers.1`, to);
    addConv(`${name}.layers.4`, [to, to, 3, 3]);
    addNorm(`${name}.layers.5`, to);
  };
  const width = (level: number): number => channels * 2 ** level;
  const upLevels = Array.from({ length: pools }, (_, i) => pools - 1 - i);

  for (let level = 0; level < pools; level++)
    addBlock(downName(level), level === 0 ? inChannels : width(level - 1), width(level));
  addBlock('conv', width(pools - 1), width(pools));
  part = 'decoder';
  for (const level of upLevels) {
    addConv(`${upscaleName(level, pools)}.layers.0`, [width(level + 1), width(level), 2, 2]);
    addNorm(`${upscaleName(level, pools)}.layers.1`, width(level));
    addBlock(upName(level, pools), 2 * width(level), width(level));
  }
  addConv(finalName(pools), [outChannels, channels, 1, 1], 'last');
  specs.push({
    name: `${finalName(pools)}.bias`,
    shape: [outChannels],
    initial: { bound: 1 / Math.sqrt(channels) },
    part,
    role: 'last',
  });
  return specs;
}

function buildUnet(
  { inChannels, pools, residual, affine }: UnetConfig,
  input: Value,
  parameter: (name: string) => Value,
): Value {
  if (input.shape.length !== 4 || input.shape[1] !== inChannels || Math.min(...input.shape.slice(2)) < 2 ** pools)
    throw new LarmorError(
      'ERR_SHAPE',
      `unet: input must have shape [n,${inChannels},y,x] with at least ${2 ** pools} pixels a side, got [${input.shape}]`,
    );
  const normalise = (x: Value, name: string): Value => {
    const scaling = affine ? { scale: parameter(`${name}.weight`), bias: parameter(`${name}.bias`) } : undefined;
    return instanceNormLeakyRelu(x, { slope: SLOPE, epsilon: EPSILON, affine: scaling })[0];
  };
  const block = (x: Value, name: string, beside?: Value): Value => {
    const half = normalise(conv3x3(x, parameter(`${name}.layers.0.weight`), { beside }), `${name}.layers.1`);
    return normalise(conv3x3(half, parameter(`${name}.layers.4.weight`)), `${name}.layers.5`);
  };
  const upscale = (x: Value, name: string, [, , height, width]: readonly number[]): Value => {
    const w = parameter(`${name}.layers.0.weight`);
    const y = normalise(convTranspose2x2(x, w), `${name}.layers.1`);
    return pad(y, [0, 0, 0, 0, 0, 0, height - y.shape[2], width - y.shape[3]], 'reflect');
  };

  const skips: Value[] = [];
  let x = input;
  for (let level = 0; level < pools; level++) {
    skips.push(block(x, downName(level)));
    x = averagePool(skips[level]);
  }
  x = block(x, 'conv');
  for (let level = pools - 1; level >= 0; level--) {
    const skip = skips[level];
    x = block(upscale(x, upscaleName(level, pools), skip.shape), upName(level, pools), skip);
  }
  const bias = parameter(`${finalName(pools)}.bias`);
  const output = conv(x, parameter(`${finalName(pools)}.weight`), { bias });
  return residual ? add(output, input) : output;
}
