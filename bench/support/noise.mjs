// Numbers to compute with where any will do.

/** Reproducible noise in [-0.5, 0.5). */
export function noise(length, seed) {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}
