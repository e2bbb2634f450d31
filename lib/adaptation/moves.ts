// Random moves of an image that leave it an image of the same kind: flips and shifts.
import { MT19937, type Seed } from '../arrays/mt19937.js';

/** Shifts reach so far, as a share of the side. */
const FARTHEST = 0.1;

/**
 * Matrices [y, y] and [x, x] that move the rows and columns of an image: each axis flipped or not, then shifted by up to a tenth of its
 * side, around the edge.
 */
export function drawMoves(
  seed: Seed,
  height: number,
  width: number,
): { readonly moveY: Float32Array; readonly moveX: Float32Array } {
  const random = new MT19937(seed);
  return { moveY: drawMove(random, height), moveX: drawMove(random, width) };
}

function drawMove(random: MT19937, side: number): Float32Array {
  const flipped = random.uniform() < 0.5;
  const most = Math.floor(FARTHEST * side);
  const shift = random.integer(0, 2 * most + 1) - most;
  const matrix = new Float32Array(side * side);
  for (let to = 0; to < side; to += 1) {
    const from = (to - shift + side) % side;
    matrix[to * side + (flipped ? side - 1 - from : from)] = 1;
  }
  return matrix;
}
