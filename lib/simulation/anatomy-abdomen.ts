// The trunk in axial slices: upper abdomen with its organs, and the pelvis.
import type { MT19937 } from '../arrays/mt19937.js';
import { type Anatomy, Cells, Ellipse, fatTissue } from './anatomy.js';
import { NoiseField } from './noise-field.js';
import { TISSUE } from './tissues.js';

/** Draws one subject's trunk, at the height of the liver or of the hips. */
export function createAbdomen(random: MT19937): Anatomy {
  const wall = new Wall(random);
  return random.pick([createUpperAbdomen, createPelvis])(random, wall);
}

/** What every level of the trunk has outside: skin, fat, muscle wall, back muscles, and a vertebra or the sacrum. */
class Wall {
  readonly noise: NoiseField;
  readonly width: number;
  readonly height: number;
  readonly #outline: Ellipse;
  readonly #skin: number;
  readonly #fat: number;
  readonly #muscle: number;
  readonly #marbling: number;
  readonly #back: readonly Ellipse[];
  readonly #body: Ellipse;

  constructor(random: MT19937) {
    this.noise = new NoiseField(random);
    this.width = random.uniform(0.78, 0.93);
    this.height = random.uniform(0.56, 0.74);
    this.#outline = new Ellipse(random.uniform(-0.03, 0.03), random.uniform(-0.06, 0.06), this.width, this.height);
    this.#skin = random.uniform(0.008, 0.014);
    this.#fat = random.uniform(0.02, 0.11);
    this.#muscle = random.uniform(0.02, 0.05);
    this.#marbling = random.uniform(0.35, 0.75);
    const behind = this.height - this.#fat - 0.16;
    this.#body = new Ellipse(0, behind - 0.14, 0.13, 0.1);
    this.#back = [-0.17, 0.17].map((x) => new Ellipse(x, behind, 0.13, 0.11, x));
  }

  /** Front border of the spine. */
  get spine(): number {
    return this.#body.y - this.#body.b;
  }

  muscleAt(x: number, y: number, z: number): number {
    return this.noise.rough(10 * x, 26 * y, 7 * z) > this.#marbling ? TISSUE.fat : TISSUE.muscle;
  }

  /** Tissue of the wall and the spine; undefined in the cavity. */
  at(x: number, y: number, z: number): number | undefined {
    const noise = this.noise;
    const slow = noise.at(2 * x, 2 * y, 2 * z);
    const depth = 0.06 * slow - this.#outline.distance(x, y);
    if (depth < 0) return TISSUE.air;
    if (depth < this.#skin) return TISSUE.skin;
    const fat = this.#skin + this.#fat * (1 + 0.5 * slow + (0.4 * Math.abs(x)) / this.width);
    if (depth < fat) return fatTissue(noise, x, y, z);
    const layer = (depth - fat) / this.#muscle;
    if (layer < 1) return Math.abs(layer - 0.5) < 0.08 ? TISSUE.fat : this.muscleAt(x, y, z);
    return this.#spineTissue(x, y, z, 0.012 * noise.at(8 * x, 8 * y, 4 * z));
  }

  #spineTissue(x: number, y: number, z: number, ripple: number): number | undefined {
    const body = this.#body.distance(x, y) + ripple;
    if (body < 0) return body > -0.012 ? TISSUE.corticalBone : TISSUE.redMarrow;
    const canal = Math.hypot(x / 1.3, y - this.#body.y - 0.145) - 0.04;
    if (canal < -0.022) return TISSUE.whiteMatter;
    if (canal < 0) return TISSUE.fluid;
    if (canal < 0.018) return TISSUE.corticalBone;
    const process = Math.abs(x) - 0.02;
    if (process < 0 && y > this.#body.y + 0.18 && y < this.#body.y + 0.33) return TISSUE.redMarrow;
    for (const muscle of this.#back) if (muscle.distance(x, y) + 2 * ripple < 0) return this.muscleAt(x, y, z);
    return undefined;
  }
}

/** Loops of bowel between other organs: wall, mixed content, sometimes gas. */
class Bowel {
  readonly #cells: Cells;
  readonly #content: readonly number[];
  readonly #wall: number;
  readonly #gap: number;

  constructor(random: MT19937, count: number, spacing: number, inside: (x: number, y: number) => boolean) {
    this.#cells = new Cells(random, count, spacing, inside);
    const kinds = [TISSUE.bowelContent, TISSUE.bowelContent, TISSUE.fluid, TISSUE.air];
    this.#content = Array.from({ length: count }, () => random.pick(kinds));
    this.#wall = random.uniform(0.012, 0.022);
    this.#gap = random.uniform(0.008, 0.03);
  }

  at(noise: NoiseField, x: number, y: number, z: number): number {
    const bend = 0.07 * noise.at(5 * x, 5 * y, 4 * z);
    const distance = this.#cells.distance(x + bend, y + 0.07 * noise.at(5 * x + 41, 5 * y, 4 * z)) - this.#gap;
    if (distance < 0) return noise.at(22 * x, 22 * y, 12 * z) > 0.55 ? TISSUE.stillBlood : TISSUE.fat;
    return distance < this.#wall ? TISSUE.bowelWall : this.#content[this.#cells.nearest];
  }
}

function createUpperAbdomen(random: MT19937, wall: Wall): Anatomy {
  const { noise, width, height, spine } = wall;
  const mirror = random.uniform() < 0.1 ? -1 : 1;
  const liver = new Ellipse(-0.42 * width, -0.12 * height, random.uniform(0.4, 0.52) * width, 0.62 * height, 0.3);
  const spleen = new Ellipse(0.68 * width, 0.22 * height, 0.13 * width, random.uniform(0.24, 0.34) * height, -0.35);
  const stomach = new Ellipse(0.35 * width, -0.32 * height, random.uniform(0.2, 0.3) * width, 0.3 * height, 0.4);
  const gallbladder = new Ellipse(-0.2 * width, random.uniform(-0.2, 0) * height, 0.06, 0.1, random.uniform(-1, 1));
  const gastric = random.pick([TISSUE.fluid, TISSUE.bowelContent, TISSUE.air]);
  const kidneys = [-1, 1].map((side) => {
    const x = side * random.uniform(0.36, 0.44) * width;
    return new Ellipse(
      x,
      spine + random.uniform(0.06, 0.14),
      random.uniform(0.13, 0.16),
      random.uniform(0.1, 0.12),
      side * 0.5,
    );
  });
  const blood = random.pick([TISSUE.flowingBlood, TISSUE.stillBlood]);
  const aorta = new Ellipse(0.05, spine - 0.06, 0.045, 0.045);
  const cava = new Ellipse(-0.1, spine - 0.05, 0.055, 0.04);
  const psoas = [-0.2, 0.2].map((x) => new Ellipse(x, spine + 0.06, 0.06, 0.08));
  const inside = (x: number, y: number): boolean => Math.hypot(x / width, y / height) < 0.75 && y < spine - 0.05;
  const bowel = new Bowel(random, random.integer(12, 22), 0.15, inside);

  const kidneyTissue = (kidney: Ellipse, x: number, y: number, distance: number): number => {
    if (distance > -0.028) return TISSUE.renalCortex;
    if (distance < -0.07) return Math.hypot(x - kidney.x, 2.5 * (y - kidney.y)) < 0.035 ? TISSUE.fluid : TISSUE.fat;
    return Math.sin(9 * kidney.angle(x, y)) > -0.3 ? TISSUE.renalMedulla : TISSUE.renalCortex;
  };

  /** Branching vessels: where two noise fields are both near zero. */
  const liverTissue = (x: number, y: number, z: number): number => {
    const tube = Math.hypot(noise.at(4 * x, 4 * y, 4 * z), noise.at(4 * x + 50, 4 * y, 4 * z));
    return tube < 0.09 ? blood : TISSUE.liver;
  };

  return (imageX, y, z) => {
    const outer = wall.at(imageX, y, z);
    if (outer !== undefined) return outer;
    const x = mirror * imageX;
    const ripple = 0.04 * noise.at(4 * x, 4 * y, 4 * z);
    for (const vessel of [aorta, cava]) if (vessel.distance(x, y) < 0) return blood;
    for (const muscle of psoas) if (muscle.distance(x, y) < ripple) return wall.muscleAt(x, y, z);
    for (const kidney of kidneys) {
      const distance = kidney.distance(x, y) + 0.3 * ripple;
      if (distance < 0) return kidneyTissue(kidney, x, y, distance);
      if (distance < 0.025) return TISSUE.fat;
    }
    if (gallbladder.distance(x, y) < 0) return TISSUE.fluid;
    if (liver.distance(x, y) + 1.6 * ripple < 0) return liverTissue(x, y, z);
    if (spleen.distance(x, y) + ripple < 0) return TISSUE.spleen;
    const stomachWall = stomach.distance(x, y) + ripple;
    if (stomachWall < 0) return stomachWall > -0.025 ? TISSUE.bowelWall : gastric;
    return bowel.at(noise, x, y, z);
  };
}

function createPelvis(random: MT19937, wall: Wall): Anatomy {
  const { noise, width, height, spine } = wall;
  const hip = random.uniform(0.14, 0.18);
  const heads = [-1, 1].map((side) => new Ellipse(side * 0.56 * width, -0.02, hip, hip));
  const bladder = new Ellipse(0, -0.26 * height, random.uniform(0.14, 0.3), random.uniform(0.12, 0.2));
  const organ = new Ellipse(0, 0.12 * height, random.uniform(0.13, 0.2), random.uniform(0.1, 0.15));
  const core = new Ellipse(0, 0.09 * height, 0.55 * organ.a, 0.5 * organ.b);
  const rectum = new Ellipse(random.uniform(-0.03, 0.03), organ.y + organ.b + 0.08, 0.07, 0.06);
  const stool = random.pick([TISSUE.bowelContent, TISSUE.air]);
  const obturators = [-1, 1].map((side) => new Ellipse(side * 0.3 * width, 0.02, 0.055, 0.22, -0.15 * side));
  const blood = random.pick([TISSUE.flowingBlood, TISSUE.stillBlood]);
  const vessels = [-1, 1].flatMap((side) =>
    [0.4, 0.46].map((x) => new Ellipse(side * x * width, -0.42 * height, 0.028, 0.034)),
  );
  const inside = (x: number, y: number): boolean =>
    Math.hypot(x / width, y / height) < 0.8 && Math.abs(x) > 0.3 * width;
  const muscles = new Cells(random, random.integer(10, 16), 0.17, inside);
  const septum = random.uniform(0.008, 0.02);
  const front = (x: number, y: number): boolean => Math.abs(x) < 0.3 * width && y < 0;
  const bowel = new Bowel(random, random.integer(6, 12), 0.13, front);
  const cartilage = random.uniform(0.012, 0.022);

  return (x, y, z) => {
    const outer = wall.at(x, y, z);
    if (outer !== undefined) return outer;
    const ripple = 0.03 * noise.at(5 * x, 5 * y, 4 * z);
    const shrink = Math.sqrt(Math.max(0.05, 1 - 3 * z * z));
    for (const head of heads) {
      const distance = head.distance(x, y, shrink) + 0.3 * ripple;
      if (distance < 0) return distance > -0.012 ? TISSUE.corticalBone : TISSUE.fattyMarrow;
      if (distance < cartilage) return TISSUE.cartilage;
      const rim = 0.06 + (0.05 * Math.abs(y - head.y)) / hip + ripple;
      const socket = Math.abs(x) < Math.abs(head.x) + 0.25 * hip && distance < rim;
      if (socket) return distance < cartilage + 0.008 || distance > rim - 0.01 ? TISSUE.corticalBone : TISSUE.redMarrow;
    }
    const urine = bladder.distance(x, y) + ripple;
    if (urine < 0) return urine > -0.018 ? TISSUE.bowelWall : TISSUE.fluid;
    const gland = organ.distance(x, y) + 0.5 * ripple;
    if (gland < 0) {
      if (gland > -0.01) return TISSUE.tendon;
      return core.distance(x, y) + ripple < 0 ? TISSUE.deepGreyMatter : TISSUE.gland;
    }
    const gut = rectum.distance(x, y) + 0.5 * ripple;
    if (gut < 0) return gut > -0.025 ? TISSUE.bowelWall : stool;
    for (const vessel of vessels) if (vessel.distance(x, y) < 0) return blood;
    for (const muscle of obturators) if (muscle.distance(x, y) < ripple) return wall.muscleAt(x, y, z);
    if (Math.abs(x) > 0.3 * width || y > spine - 0.04) {
      const border = muscles.distance(x + ripple, y + 1.5 * ripple);
      return border < septum * (1 + 20 * ripple) ? TISSUE.fat : wall.muscleAt(x, y, z);
    }
    return y < -0.1 ? bowel.at(noise, x, y, z) : TISSUE.fat;
  };
}
