// One row of values as an array of many.

/** [rows, row.length], every row the same. */
export function repeated(row: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows * row.length);
  for (let start = 0; start < result.length; start += row.length) result.set(row, start);
  return result;
}
