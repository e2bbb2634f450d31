// The residual network that denoises inside MoDL and SSDU: 3x3 convolutions at full resolution, without biases and normalisation.
import { LarmorError } from '../errors.js';
import { add, conv3x3, multiply, relu } from '../graph/operations.js';
import type { Value } from '../graph/types.js';
import { type ImageNetwork, imageNetworkOf } from './image-network.js';
import type { ParameterSpec } from './network.js';

export interface ResnetConfig {
  /** Residual blocks. */
  readonly blocks: number;
  readonly channels: number;
  /** Both convolutions of a block share one kernel. */
  readonly tieBlockConvs: boolean;
}

/** What a block adds to its input is multiplied by this. */
const RESIDUAL_SCALE = 0.1;
const INITIAL_DEVIATION = 0.05;

/** Names of the kernels of a block's two convolutions. */
function blockNames(block: number, tied: boolean): readonly [string, string] {
  const name = `blocks.${block}`;
  return tied ? [`${name}.weight`, `${name}.weight`] : [`${name}.0.weight`, `${name}.1.weight`];
}

/**
 * The network on complex images [n,2,y,x] of any size: a convolution to so many channels; residual blocks of convolution, ReLU,
 * convolution, the result times 0.1 added to the block's input; a convolution whose result is added to that of the first; a
 * convolution to 2 channels. Weights start normal, of deviation 0.05. Scaling the input by a positive number scales the output.
 *
 * @see Yaman et al., Magn Reson Med 2020;84:3172-3191.
 */
export function createResnet(config: ResnetConfig): ImageNetwork {
  return imageNetworkOf({
    kind: 'resnet',
    config: { ...config },
    parameters: resnetParameters(config),
    inChannels: 2,
    outChannels: 2,
    build(input, parameter) {
      if (input.shape.length !== 4 || input.shape[1] !== 2)
        throw new LarmorError('ERR_SHAPE', `resnet: input must have shape [n,2,y,x], got [${input.shape}]`);
      const first = conv3x3(input, parameter('first.weight'));
      let x: Value = first;
      for (let block = 0; block < config.blocks; block += 1) {
        const [before, after] = blockNames(block, config.tieBlockConvs);
        const residual = conv3x3(relu(conv3x3(x, parameter(before))), parameter(after));
        x = add(x, multiply(residual, RESIDUAL_SCALE));
      }
      return conv3x3(add(conv3x3(x, parameter('last.weight')), first), parameter('output.weight'));
    },
  });
}

/** In the order of use; the later half of the blocks and what follows count as decoder. */
function resnetParameters({ blocks, channels, tieBlockConvs }: ResnetConfig): ParameterSpec[] {
  const spec = (
    name: string,
    from: number,
    to: number,
    part: ParameterSpec['part'],
    role?: ParameterSpec['role'],
  ): ParameterSpec => ({
    name,
    shape: [to, from, 3, 3],
    initial: { deviation: INITIAL_DEVIATION },
    part,
    role,
  });
  const specs = [spec('first.weight', 2, channels, 'encoder', 'first')];
  for (let block = 0; block < blocks; block += 1)
    for (const name of new Set(blockNames(block, tieBlockConvs)))
      specs.push(spec(name, channels, channels, block < blocks / 2 ? 'encoder' : 'decoder'));
  specs.push(spec('last.weight', channels, channels, 'decoder'), spec('output.weight', channels, 2, 'decoder', 'last'));
  return specs;
}
