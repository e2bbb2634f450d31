// The known name that a misspelt one is nearest to.

/** The first of the nearest of `known`, and by how many letters it differs; undefined where there are none. */
export function nearestName(
  name: string,
  known: readonly string[],
): { readonly name: string; readonly distance: number } | undefined {
  return known
    .map((candidate) => ({ name: candidate, distance: editDistance(name, candidate) }))
    .reduce<{ name: string; distance: number } | undefined>(
      (best, each) => (best && best.distance <= each.distance ? best : each),
      undefined,
    );
}

/** Letters to change, insert or drop to make one name of the other, in either case. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + Number(a[i].toLowerCase() !== b[j].toLowerCase())));
    row = next;
  }
  return row[b.length];
}
