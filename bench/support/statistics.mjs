// What benchmarks make of repeated times and of two results.

export const best = (values) => Math.min(...values);
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** ||a - b|| / ||b||. */
export function relativeDifference(a, b) {
  if (a.length !== b.length) throw new Error(`results hold ${a.length} and ${b.length} numbers`);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
