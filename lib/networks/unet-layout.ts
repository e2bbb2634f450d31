// Recognises the weights of fastMRI's networks by their names and shapes.
import { formatShape, type Shape, sameShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { createNetwork, type Network } from './network.js';

/** A network and the prefix that the names of its parameters bear in a checkpoint. */
export interface RecognisedLayout {
  readonly network: Network;
  readonly prefix: string;
}

const FIRST = 'down_sample_layers.0.layers.0.weight';
/** Losses and metrics, whose buffers Lightning saves beside the network: no part of it. */
const BYSTANDER = /(^|\.)(loss|[a-z_]*_loss|metrics?|nmse|ssim|psnr)\./i;
const LISTED = 4;

/**
 * The network that weights of these names and shapes belong to: fastMRI's U-Net, bare or inside wrappers (`unet.`, `model.`,
 * `module.`, `_orig_mod.` or any other common prefix).
 *
 * @param shapes Shapes by name. @param who Names the file in messages.
 * @throws LarmorError `ERR_MODEL` for another layout, saying which names are missing or left over and which shapes differ.
 */
export function recogniseLayout(shapes: ReadonlyMap<string, Shape>, who: string): RecognisedLayout {
  expectNoVarNet(shapes, who);
  const prefixes = [...shapes.keys()].filter((name) => `.${name}`.endsWith(`.${FIRST}`));
  if (prefixes.length !== 1) throw unknownLayout(shapes, who, prefixes.length);
  const prefix = prefixes[0].slice(0, -FIRST.length);
  const own = new Map<string, Shape>();
  const foreign: string[] = [];
  for (const [name, shape] of shapes) {
    if (BYSTANDER.test(name)) continue;
    if (name.startsWith(prefix)) own.set(name.slice(prefix.length), shape);
    else foreign.push(name);
  }
  const network = unetOf(own, who);
  expectSameParameters(network, own, foreign, who);
  return { network, prefix };
}

function expectNoVarNet(shapes: ReadonlyMap<string, Shape>, who: string): void {
  const cascades = new Set([...shapes.keys()].map((name) => /(?:^|\.)cascades\.(\d+)\./.exec(name)?.[1]));
  cascades.delete(undefined);
  if (cascades.size > 0)
    throw new LarmorError(
      'ERR_MODEL',
      `${who} holds an unrolled network of ${cascades.size} cascades (the layout of fastMRI's end-to-end VarNet); ` +
        'larmor imports the U-Net of fastMRI and has no such network yet',
    );
}

function unknownLayout(shapes: ReadonlyMap<string, Shape>, who: string, found: number): LarmorError {
  if (found > 1)
    return new LarmorError('ERR_MODEL', `${who} holds ${found} U-Nets; save the state_dict of the one that you want`);
  return new LarmorError(
    'ERR_MODEL',
    `${who} is not of a layout that larmor knows: fastMRI's U-Net has a "${FIRST}"; this holds ${list([...shapes.keys()])}. ` +
      'Export other networks to ONNX and import that file',
  );
}

/** The U-Net whose sizes these shapes show. */
function unetOf(shapes: ReadonlyMap<string, Shape>, who: string): Network {
  const levels = new Set([...shapes.keys()].map((name) => /^down_sample_layers\.(\d+)\./.exec(name)?.[1]));
  levels.delete(undefined);
  const pools = levels.size;
  const [channels, inChannels] = shapes.get(FIRST) ?? [];
  const last = `up_conv.${pools - 1}.1.weight`;
  const outChannels = shapes.get(last)?.[0];
  if (outChannels === undefined)
    throw new LarmorError(
      'ERR_MODEL',
      `${who} is almost fastMRI's U-Net: with ${pools} levels down it needs a "${last}", but holds ${list(without(shapes, 'down_'))}`,
    );
  const affine = shapes.has('conv.layers.1.weight');
  return createNetwork('unet', { channels, inChannels, outChannels, pools, affine });
}

const without = (shapes: ReadonlyMap<string, Shape>, prefix: string): string[] =>
  [...shapes.keys()].filter((name) => !name.startsWith(prefix));

function expectSameParameters(
  network: Network,
  shapes: ReadonlyMap<string, Shape>,
  foreign: readonly string[],
  who: string,
): void {
  const wanted = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
  const missing = [...wanted.keys()].filter((name) => !shapes.has(name));
  const left = [...shapes.keys()].filter((name) => !wanted.has(name)).concat(foreign);
  const different = [...wanted].flatMap(([name, want]) => {
    const got = shapes.get(name);
    return got && !sameShape(got, want) ? [`"${name}" ${formatShape(got)}, not ${formatShape(want)}`] : [];
  });
  const faults = [
    missing.length > 0 && `missing are ${list(missing)}`,
    left.length > 0 && `not known are ${list(left)}`,
    different.length > 0 && `of another shape are ${head(different)}`,
  ].filter((fault) => fault !== false);
  if (faults.length > 0)
    throw new LarmorError('ERR_MODEL', `${who} does not fit the U-Net that its sizes tell of: ${faults.join('; ')}`);
}

const list = (names: readonly string[]): string => head(names.map((name) => `"${name}"`));

const head = (items: readonly string[]): string =>
  items.slice(0, LISTED).join(', ') + (items.length > LISTED ? ` and ${items.length - LISTED} more` : '');
