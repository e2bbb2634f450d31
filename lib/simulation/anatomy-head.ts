// A head in axial slices: scalp, skull, folded cortex over white matter, ventricles, deep grey matter, lesions.
import type { MT19937 } from '../arrays/mt19937.js';
import { type Anatomy, Ellipse } from './anatomy.js';
import { NoiseField, WaveField } from './noise-field.js';
import { TISSUE } from './tissues.js';

interface Blob {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly radius: number;
}

function drawLesions(random: MT19937): Blob[] {
  return Array.from({ length: random.integer(0, 7) }, () => ({
    x: random.uniform(-0.4, 0.4),
    y: random.uniform(-0.5, 0.5),
    z: random.uniform(-0.1, 0.4),
    radius: random.uniform(0.012, 0.05) * random.uniform(0.7, 1.3),
  }));
}

/** Tissue numbers of the layers outside the brain, from the skin inwards, each with where it ends. */
class Shell {
  readonly #skin: number;
  readonly #fat: number;
  readonly #table: number;
  readonly #diploe: number;
  readonly #space: number;
  readonly #muscle: number;

  constructor(random: MT19937) {
    this.#skin = random.uniform(0.012, 0.02);
    this.#fat = random.uniform(0.025, 0.055);
    this.#table = random.uniform(0.012, 0.018);
    this.#diploe = random.uniform(0.012, 0.04);
    this.#space = random.uniform(0.008, 0.025);
    this.#muscle = random.uniform(0.03, 0.08);
  }

  /**
   * @param depth Distance below the skin. @param variation Slow random field. @param temple 0 to 1, where the temporal
   * muscle lies.
   * @returns The tissue, or the depth below the brain's envelope as a negative number minus 1.
   */
  at(depth: number, variation: number, temple: number): number {
    let left = depth - this.#skin;
    if (left < 0) return TISSUE.skin;
    left -= this.#fat * (1 + 0.6 * variation);
    if (left < 0) return TISSUE.fat;
    left -= this.#muscle * temple;
    if (left < 0) return TISSUE.muscle;
    left -= this.#table;
    if (left < 0) return TISSUE.corticalBone;
    left -= this.#diploe * Math.max(0, 1 + variation - temple);
    if (left < 0) return TISSUE.redMarrow;
    left -= this.#table;
    if (left < 0) return TISSUE.corticalBone;
    left -= this.#space;
    return left < 0 ? TISSUE.fluid : -1 - left;
  }
}

/** Draws one subject's head. */
export function createHead(random: MT19937): Anatomy {
  const noise = new NoiseField(random);
  const folds = new WaveField(random, random.uniform(0.21, 0.27));
  const minorFolds = new WaveField(random, random.uniform(0.12, 0.15));
  const shell = new Shell(random);
  const lesions = drawLesions(random);
  const a = random.uniform(0.62, 0.74);
  const b = random.uniform(0.78, 0.9);
  const c = random.uniform(0.68, 0.78);
  const tilt = random.uniform(-0.08, 0.08);
  const shift = [random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05)] as const;
  const cortex = random.uniform(0.026, 0.034);
  const sulcus = random.uniform(0.003, 0.009);
  const sulcalDepth = random.uniform(0.2, 0.3);
  const ventricle = random.uniform(0.6, 1.6);
  const falx = random.uniform(0.003, 0.006);
  const outline = random.uniform(0.02, 0.05);
  const thalamus = new Ellipse(0.085, 0.1, 0.06, 0.11, 0.35);
  const caudate = new Ellipse(0.125, -0.17, 0.035, 0.085, -0.3);
  const putamen = new Ellipse(0.235, -0.045, 0.042, 0.135, -0.12);
  const pallidum = new Ellipse(0.185, -0.01, 0.03, 0.07, -0.12);
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];

  /** Lateral ventricle of one side: a bow that opens to the front and to the back. */
  const ventricleDistance = (x: number, y: number, z: number): number => {
    const along = (y + 0.02) / 0.36;
    if (Math.abs(along) > 1) return 1;
    const centre = 0.045 + (along > 0 ? 0.16 : 0.07) * along * along;
    const radius = ventricle * 0.042 * (1 - along * along) * (1 + 0.5 * Math.abs(along));
    return Math.hypot(x - centre, 0.45 * (z - 0.1 - 0.05 * along)) - radius;
  };

  const deepTissue = (x: number, y: number, z: number): number | undefined => {
    const ventricular = ventricleDistance(x, y, z);
    if (ventricular < 0) return TISSUE.fluid;
    const third = Math.hypot(x / 0.012, (y - 0.08) / 0.1, (z + 0.06) / 0.09);
    if (third < ventricle) return TISSUE.fluid;
    const reach = 1 - ((z - 0.02) / 0.16) ** 2;
    if (reach <= 0) return undefined;
    const size = Math.sqrt(reach);
    if (pallidum.distance(x, y, size) < 0) return TISSUE.whiteMatter;
    const grey = Math.min(thalamus.distance(x, y, size), caudate.distance(x, y, size), putamen.distance(x, y, size));
    return grey < 0 ? TISSUE.deepGreyMatter : undefined;
  };

  const brainTissue = (x: number, y: number, z: number, r: number, depth: number): number => {
    const side = Math.abs(x + 0.015 * noise.at(3 * y, 3 * z, 7.7));
    const callosum = Math.hypot(y / 0.36, (z - 0.1) / 0.3);
    const inner = callosum > 0.7 ? undefined : deepTissue(side, y, z);
    if (inner !== undefined) return inner;
    const midline = Math.hypot(side, Math.max(0, 0.4 * (1 - callosum)));
    if (midline < falx && depth > 0.03) return TISSUE.tendon;
    // Seen from the centre, so that sulci run inwards; mirrored with noise, since hemispheres resemble each other.
    const project = r ** -0.7;
    const wobble = x > 0 ? 0.1 : 0;
    const px = side * project + wobble;
    const py = y * project;
    const pz = z * project + wobble;
    const bottom = sulcalDepth * (1 + 0.7 * noise.at(4 * x + 3, 4 * y, 4 * z));
    const width = sulcus * (1 + 1.1 * Math.exp(-depth / 0.05));
    const reach = width + cortex * (1 + 0.25 * noise.at(6 * x, 6 * y, 6 * z));
    let surface = Math.min(depth + sulcus, midline);
    // Waves are the costly part: only where a sulcus reaches, and only until one is found.
    const below = depth - bottom;
    if (surface >= width && below <= reach)
      surface = Math.min(surface, Math.hypot(folds.distance(px, py, pz) / project, Math.max(0, below)));
    const belowMinor = depth - 0.35 * bottom;
    if (surface >= width && belowMinor <= reach)
      surface = Math.min(surface, Math.hypot(minorFolds.distance(px, py, pz) / project, Math.max(0, belowMinor)));
    if (surface < width) return TISSUE.fluid;
    if (surface < reach) return TISSUE.greyMatter;
    for (const { x: lx, y: ly, z: lz, radius } of lesions) {
      const distance = Math.hypot(x - lx, y - ly, z - lz);
      if (distance < radius * (1 + 0.4 * noise.at(20 * x, 20 * y, 20 * z))) return TISSUE.lesion;
    }
    return TISSUE.whiteMatter;
  };

  return (imageX, imageY, z) => {
    const x = cos * (imageX - shift[0]) + sin * (imageY - shift[1]);
    const y = cos * (imageY - shift[1]) - sin * (imageX - shift[0]);
    const slow = noise.at(2 * x + 9, 2 * y, 2 * z);
    // Narrower forehead, as heads are egg-shaped from above.
    const r = Math.hypot(x / (a * (1 + 0.1 * y)), y / b, z / c) * (1 + outline * slow);
    if (r >= 1) return TISSUE.air;
    const depth = (1 - r) * (Math.hypot(x, y, z) / Math.max(r, 1e-6));
    const temple = Math.max(0, 1 - Math.hypot((Math.abs(x) - a) / 0.25, (y + 0.2) / 0.32, (z + 0.15) / 0.3));
    const layer = shell.at(depth, slow, temple);
    return layer >= 0 ? layer : brainTissue(x, y, z, r, -1 - layer);
  };
}
