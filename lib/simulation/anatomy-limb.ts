// Limbs: thigh and lower leg in axial slices, the knee in axial and sagittal ones.
import type { MT19937 } from '../arrays/mt19937.js';
import { type Anatomy, Cells, Ellipse, fatTissue, segmentDistance, smoothMinimum } from './anatomy.js';
import { NoiseField } from './noise-field.js';
import { TISSUE } from './tissues.js';

/** Draws one subject's limb, in one of four views. */
export function createLimb(random: MT19937): Anatomy {
  return random.pick([createShaft, createShaft, createAxialKnee, createSagittalKnee])(random);
}

/** Marrow inside a shell of cortical bone; undefined outside. `distance` is negative inside the bone. */
function boneTissue(distance: number, cortex: number): number | undefined {
  if (distance >= 0) return undefined;
  return distance > -cortex ? TISSUE.corticalBone : TISSUE.fattyMarrow;
}

/** Muscle with streaks of fat along its fibres. */
class MuscleFilling {
  readonly #noise: NoiseField;
  readonly #cells: Cells;
  readonly #septum: number;
  readonly #marbling: Float64Array;
  readonly #cos: number;
  readonly #sin: number;

  constructor(random: MT19937, noise: NoiseField, cells: Cells) {
    this.#noise = noise;
    this.#cells = cells;
    this.#septum = random.uniform(0.004, 0.014);
    const subject = random.uniform(0.45, 0.85);
    this.#marbling = Float64Array.from({ length: cells.count + 1 }, () => subject + random.uniform(-0.15, 0.15));
    const angle = random.uniform(0, Math.PI);
    [this.#cos, this.#sin] = [Math.cos(angle), Math.sin(angle)];
  }

  at(x: number, y: number, z: number): number {
    const noise = this.#noise;
    const bend = 0.05 * noise.at(5 * x, 5 * y, 3 * z + 11);
    const border = this.#cells.distance(x + bend, y + 0.05 * noise.at(5 * x + 31, 5 * y, 3 * z));
    if (border < this.#septum * (1 + noise.at(9 * x, 9 * y, 4 * z))) return TISSUE.fat;
    const along = this.#cos * x + this.#sin * y;
    const across = this.#cos * y - this.#sin * x;
    const streak = noise.rough(9 * along, 34 * across, 6 * z + 5 * this.#cells.nearest);
    return streak > this.#marbling[this.#cells.nearest] ? TISSUE.fat : TISSUE.muscle;
  }
}

/** Skin and fat below it, as deep as `thickness`; undefined further in. `depth` grows inwards from the surface. */
function coverTissue(depth: number, skin: number, thickness: number): number | undefined {
  if (depth < 0) return TISSUE.air;
  if (depth < skin) return TISSUE.skin;
  if (depth < skin + thickness) return TISSUE.fat;
  return depth < skin + thickness + 0.008 ? TISSUE.tendon : undefined;
}

/** Thigh (one bone) or lower leg (two bones), axial: muscle bellies, septa, vessels beside the bone. */
function createShaft(random: MT19937): Anatomy {
  const noise = new NoiseField(random);
  const outline = new Ellipse(
    random.uniform(-0.1, 0.1),
    random.uniform(-0.1, 0.1),
    random.uniform(0.6, 0.86),
    random.uniform(0.58, 0.84),
    random.uniform(0, Math.PI),
  );
  const skin = random.uniform(0.01, 0.018);
  const fat = random.uniform(0.04, 0.2);
  const fatSide = random.uniform(0, 2 * Math.PI);
  const bone = (radius: number, from: number): Ellipse => {
    const [angle, distance] = [random.uniform(0, 2 * Math.PI), random.uniform(0, from)];
    const [x, y] = [outline.x + distance * Math.cos(angle), outline.y + distance * Math.sin(angle)];
    return new Ellipse(x, y, radius, radius * random.uniform(0.75, 1), angle);
  };
  const first = bone(random.uniform(0.1, 0.17), 0.22);
  const bones = random.uniform() < 0.5 ? [first] : [first, bone(random.uniform(0.05, 0.08), 0.36)];
  const cortex = random.uniform(0.02, 0.045);
  const inner = 0.62 * Math.min(outline.a, outline.b);
  const inside = (x: number, y: number): boolean => Math.hypot(x - outline.x, y - outline.y) < inner;
  const muscles = new MuscleFilling(random, noise, new Cells(random, random.integer(7, 14), 0.2, inside));
  const blood = random.pick([TISSUE.flowingBlood, TISSUE.stillBlood]);
  const vessels = Array.from({ length: random.integer(2, 6) }, () => {
    const [angle, distance] = [random.uniform(0, 2 * Math.PI), random.uniform(0.1, 0.4)];
    const [x, y] = [first.x + distance * Math.cos(angle), first.y + distance * Math.sin(angle)];
    const radius = random.uniform(0.012, 0.035);
    return new Ellipse(x, y, radius, radius);
  });

  return (x, y, z) => {
    const bump = 0.05 * noise.at(2 * x, 2 * y, 2 * z);
    const depth = -outline.distance(x, y) + bump;
    const side = 1 + 0.6 * Math.cos(outline.angle(x, y) - fatSide) + 0.5 * noise.at(3 * x, 3 * y, 2 * z + 7);
    const cover = coverTissue(depth, skin, fat * side);
    if (cover !== undefined) return cover;
    const ripple = 0.02 * noise.at(7 * x, 7 * y, 3 * z);
    for (const shape of bones) {
      const found = boneTissue(shape.distance(x, y) + ripple, cortex * (1 + 6 * ripple));
      if (found !== undefined) return found;
    }
    for (const vessel of vessels) {
      const distance = vessel.distance(x + 0.2 * z, y);
      if (distance < 0) return blood;
      if (distance < 0.016) return TISSUE.fat;
    }
    return muscles.at(x, y, z);
  };
}

/** The knee in axial slices: femoral condyles with cartilage, patella, joint fluid, calf muscles and vessels behind. */
function createAxialKnee(random: MT19937): Anatomy {
  const noise = new NoiseField(random);
  const size = random.uniform(0.85, 1.1);
  const skin = random.uniform(0.01, 0.018);
  const fat = random.uniform(0.03, 0.11);
  const outline = new Ellipse(0, 0.02, 0.78 * size, 0.76 * size);
  const medial = new Ellipse(-0.25 * size, -0.02, 0.27 * size, 0.36 * size, 0.25);
  const lateral = new Ellipse(0.25 * size, -0.04, 0.27 * size, 0.34 * size, -0.25);
  const patella = new Ellipse(
    random.uniform(-0.04, 0.08),
    -0.5 * size,
    0.24 * size,
    0.085 * size,
    random.uniform(-0.12, 0.12),
  );
  const behind = (x: number, y: number): boolean => y > 0.2 && Math.hypot(x, y) < 0.65 * size && Math.abs(x) > 0.1;
  const muscles = new MuscleFilling(random, noise, new Cells(random, random.integer(5, 9), 0.16, behind));
  const tendons = Array.from({ length: 5 }, (_, i) => {
    const x = (i < 3 ? -0.5 : 0.5) * size + random.uniform(-0.08, 0.08);
    const radius = random.uniform(0.018, 0.035);
    return new Ellipse(x, random.uniform(0.2, 0.5) * size, radius, 1.4 * radius, random.uniform(0, 3));
  });
  const vessels = [0.05, 0.11].map((dy) => new Ellipse(random.uniform(-0.05, 0.05), (0.42 + dy) * size, 0.035, 0.03));
  const blood = random.pick([TISSUE.flowingBlood, TISSUE.stillBlood]);
  const effusion = random.uniform(0, 0.03);
  const cartilage = random.uniform(0.02, 0.04);
  const cortex = random.uniform(0.008, 0.016);

  return (x, y, z) => {
    const slow = noise.at(2.5 * x, 2.5 * y, 2.5 * z);
    const cover = coverTissue(0.05 * slow - outline.distance(x, y), skin, fat * (1.2 + slow));
    if (cover !== undefined) return cover;
    const ripple = 0.02 * noise.at(6 * x, 6 * y, 3 * z);
    const grown = 1 - 0.5 * z * z;
    const femur = smoothMinimum(medial.distance(x, y, grown), lateral.distance(x, y, grown), 0.12) + ripple;
    const kneecap = patella.distance(x, y) + ripple;
    const marrow = boneTissue(femur, cortex) ?? boneTissue(kneecap, cortex);
    if (marrow !== undefined) return marrow;
    if (femur < cartilage && y < -0.05) return TISSUE.cartilage;
    if (kneecap < cartilage && y > patella.y) return TISSUE.cartilage;
    if (y < 0.1 && y > patella.y && (femur < cartilage + effusion || kneecap < cartilage + effusion))
      return TISSUE.fluid;
    if (kneecap < 0.03 && y < patella.y) return TISSUE.tendon;
    if (femur < 0.02 && Math.abs(x) > 0.4 * size) return TISSUE.tendon;
    for (const vessel of vessels) if (vessel.distance(x, y) < 0) return blood;
    for (const tendon of tendons) if (tendon.distance(x, y) < 0) return TISSUE.tendon;
    const hollow = Math.hypot(x / 0.14, (y - 0.46 * size) / 0.2) < 1 + 6 * ripple;
    if (y > 0.15 + 4 * ripple && femur > 0.03 && !hollow) return muscles.at(x, y, z);
    return fatTissue(noise, x, y, z);
  };
}

/** The knee seen from the side: femur over tibia, patella in front, ligaments, menisci, muscle behind. */
function createSagittalKnee(random: MT19937): Anatomy {
  const noise = new NoiseField(random);
  const mirror = random.pick([-1, 1]);
  const lean = random.uniform(-0.12, 0.12);
  const gap = random.uniform(-0.02, 0.06);
  const skin = random.uniform(0.01, 0.018);
  const fat = random.uniform(0.03, 0.1);
  const condyle = new Ellipse(0.02, gap - 0.27, random.uniform(0.29, 0.34), random.uniform(0.25, 0.29));
  const shaftWidth = random.uniform(0.15, 0.19);
  const plateau = new Ellipse(0, gap + 0.24, random.uniform(0.3, 0.35), 0.19);
  const patella = new Ellipse(-0.44, gap - 0.3, 0.075, random.uniform(0.15, 0.19), random.uniform(-0.15, 0.1));
  const cartilage = random.uniform(0.022, 0.038);
  const cortex = random.uniform(0.01, 0.018);
  const front = -random.uniform(0.56, 0.64);
  const back = random.uniform(0.5, 0.66);
  const effusion = random.uniform(0, 0.02);
  const ligament: [[number, number], [number, number]] = [
    [0.14, gap - 0.14],
    [-0.08, gap + 0.1],
  ];
  const blood = random.pick([TISSUE.flowingBlood, TISSUE.stillBlood]);
  const inside = (x: number, y: number): boolean => x > 0.1 && x < back - 0.08 && Math.abs(y) < 0.95;
  const muscles = new MuscleFilling(random, noise, new Cells(random, random.integer(4, 8), 0.25, inside));

  return (imageX, y, z) => {
    const x = mirror * imageX + lean * y;
    const slow = noise.at(1.5 * y, 1.5 * z, 3);
    const depth = Math.min(x - front - 0.12 * Math.abs(y) - 0.05 * slow, back + 0.1 * y * y + 0.05 * slow - x);
    const cover = coverTissue(depth, skin, fat);
    if (cover !== undefined) return cover;
    const ripple = 0.015 * noise.at(6 * x, 6 * y, 3 * z);
    const shaft = Math.max(Math.abs(x + 0.04) - shaftWidth, y - gap + 0.3);
    const femur = smoothMinimum(condyle.distance(x, y), shaft, 0.15) + ripple;
    const tibialShaft = Math.max(Math.abs(x) - shaftWidth * 1.05, gap + 0.3 - y);
    const flat = Math.max(plateau.distance(x, y), gap + 0.1 - y);
    const tibia = smoothMinimum(flat, tibialShaft, 0.15) + ripple;
    const kneecap = patella.distance(x, y) + ripple;
    const bone = boneTissue(femur, cortex) ?? boneTissue(tibia, cortex) ?? boneTissue(kneecap, cortex);
    if (bone !== undefined) return bone;
    const joint = y > gap - 0.2 && y < gap + 0.14;
    if (femur < cartilage && (joint || x < -0.15) && y > gap - 0.42) return TISSUE.cartilage;
    if (tibia < cartilage && y < gap + 0.12 && Math.abs(x) < 0.28) return TISSUE.cartilage;
    if (kneecap < cartilage && x > patella.x) return TISSUE.cartilage;
    const wedge = Math.abs(x) - 0.13;
    if (joint && wedge > 0 && wedge < 0.16 && Math.abs(y - gap - 0.04) < 0.5 * wedge) return TISSUE.tendon;
    if (segmentDistance(x, y, ...ligament) < 0.035 + 0.4 * ripple && Math.abs(z) < 0.3) return TISSUE.tendon;
    if (femur < cartilage + effusion && y > gap - 0.45) return TISSUE.fluid;
    const strap = segmentDistance(x, y, [patella.x - 0.04, gap - 0.5], [patella.x - 0.03, -1]);
    const lower = segmentDistance(x, y, [patella.x - 0.02, gap - 0.14], [-0.26, gap + 0.32]);
    if (Math.min(strap, lower) < 0.035) return TISSUE.tendon;
    if (x < 0.1) return fatTissue(noise, x, y, z);
    const vessel = Math.hypot(x - 0.36 - 0.12 * noise.at(1.5 * y, 2, 3 * z), 0.6 * (z - 0.1));
    if (vessel < 0.05) return vessel < 0.022 ? blood : TISSUE.fat;
    return muscles.at(x, y, z);
  };
}
