// Recognises the weights of fastMRI's networks by their names and shapes.
import { formatShape, type Shape, sameShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { createNetwork, type Network } from './network.js';

/** A network and the prefix that the names of its parameters bear in a checkpoint. */
export interface RecognisedLayout {
  readonly network: Network;
  readonly prefix: string;
}

type Shapes = ReadonlyMap<string, Shape>;

const FIRST = 'down_sample_layers.0.layers.0.weight';
const LEVEL = /^down_sample_layers\.(\d+)\./;
/** In a VarNet, after the prefix. */
const CASCADE = /^(?:(.*)\.)?cascades\.(\d+)\./;
const REGULARISER = 'cascades.0.model.unet.';
const SENSITIVITY = 'sens_net.norm_unet.unet.';
/** Losses and metrics, whose buffers Lightning saves beside the network: no part of it. */
const BYSTANDER = /(^|\.)(loss|[a-z_]*_loss|metrics?|nmse|ssim|psnr)\./i;
const LISTED = 4;

/**
 * The network that weights of these names and shapes belong to: fastMRI's U-Net or end-to-end VarNet, bare or inside wrappers (`unet.`,
 * `varnet.`, `model.`, `module.`, `_orig_mod.` or any other common prefix).
 *
 * @param shapes Shapes by name. @param who Names the file in messages.
 * @throws LarmorError `ERR_MODEL` for another layout, saying which names are missing or left over and which shapes differ.
 */
export function recogniseLayout(shapes: Shapes, who: string): RecognisedLayout {
  const varnets = varnetPrefixes(shapes);
  if (varnets.length > 0) return recognise('VarNet', shapes, varnets, who, varnetOf);
  const unets = [...shapes.keys()].filter((name) => `.${name}`.endsWith(`.${FIRST}`));
  if (unets.length === 0) throw unknownLayout(shapes, who);
  const prefixes = unets.map((name) => name.slice(0, -FIRST.length));
  return recognise('U-Net', shapes, prefixes, who, unetOf);
}

function recognise(
  what: string,
  shapes: Shapes,
  [prefix, ...others]: readonly string[],
  who: string,
  networkOf: (shapes: Shapes, who: string) => Network,
): RecognisedLayout {
  if (others.length > 0)
    throw new LarmorError(
      'ERR_MODEL',
      `${who} holds ${1 + others.length} ${what}s; save the state_dict of the one that you want`,
    );
  const own = new Map<string, Shape>();
  const foreign: string[] = [];
  for (const [name, shape] of shapes) {
    if (BYSTANDER.test(name)) continue;
    if (name.startsWith(prefix)) own.set(name.slice(prefix.length), shape);
    else foreign.push(name);
  }
  const network = networkOf(own, who);
  expectSameParameters(what, network, own, foreign, who);
  return { network, prefix };
}

/** What stands before `cascades.` in the names. */
function varnetPrefixes(shapes: Shapes): string[] {
  const found = [...shapes.keys()].map((name) => CASCADE.exec(name)).filter((match) => match !== null);
  return [...new Set(found.map(([, prefix]) => (prefix ? `${prefix}.` : '')))];
}

/** How many different numbers the pattern's group captures. */
function countOf(shapes: Shapes, pattern: RegExp, group: number): number {
  const numbers = new Set([...shapes.keys()].map((name) => pattern.exec(name)?.[group]));
  numbers.delete(undefined);
  return numbers.size;
}

/** The shapes whose names begin with the prefix, without it. */
function under(shapes: Shapes, prefix: string): Map<string, Shape> {
  const entries = [...shapes].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, shape]) => [name.slice(prefix.length), shape]));
}

/** The VarNet whose sizes these shapes show. */
function varnetOf(shapes: Shapes): Network {
  const sizes = (prefix: string): { channels: number | undefined; pools: number } | null => {
    const unet = under(shapes, prefix);
    return unet.size > 0 ? { channels: unet.get(FIRST)?.[0], pools: countOf(unet, LEVEL, 1) } : null;
  };
  const cascades = countOf(shapes, CASCADE, 2);
  return createNetwork('varnet', { cascades, ...sizes(REGULARISER), sensitivity: sizes(SENSITIVITY) });
}

function unknownLayout(shapes: Shapes, who: string): LarmorError {
  return new LarmorError(
    'ERR_MODEL',
    `${who} is not of a layout that larmor knows: fastMRI's U-Net has a "${FIRST}", its VarNet "cascades."; this holds ` +
      `${list([...shapes.keys()])}. Export other networks to ONNX and import that file`,
  );
}

/** The U-Net whose sizes these shapes show. */
function unetOf(shapes: Shapes, who: string): Network {
  const pools = countOf(shapes, LEVEL, 1);
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

const without = (shapes: Shapes, prefix: string): string[] =>
  [...shapes.keys()].filter((name) => !name.startsWith(prefix));

function expectSameParameters(
  what: string,
  network: Network,
  shapes: Shapes,
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
    throw new LarmorError('ERR_MODEL', `${who} does not fit the ${what} that its sizes tell of: ${faults.join('; ')}`);
}

const list = (names: readonly string[]): string => head(names.map((name) => `"${name}"`));

const head = (items: readonly string[]): string =>
  items.slice(0, LISTED).join(', ') + (items.length > LISTED ? ` and ${items.length - LISTED} more` : '');
