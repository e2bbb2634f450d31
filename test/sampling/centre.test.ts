import { describe, expect, test } from 'vitest';
import { sampledCentre } from '#larmor/sampling/centre.js';

const lines = (text: string) => ({ data: Uint8Array.from(text, Number), shape: [text.length] as const });
const rows = (...text: string[]) => ({
  data: Uint8Array.from(text.join(''), Number),
  shape: [text.length, text[0].length] as const,
});

describe('sampledCentre', () => {
  test.each([
    ['the run through the middle', '10011110101', 4],
    ['all lines', '11111111', 8],
    ['a run that is not centred', '000110000', 2],
    ['none where the middle is not sampled', '1110111', 0],
  ])('of lines: %s', (_, text, columns) => {
    expect(sampledCentre(lines(text), 20)).toEqual({ rows: columns > 0 ? 20 : 0, columns });
  });

  test('of points: a block, rows and columns in turn', () => {
    expect(sampledCentre(rows('10001', '01110', '11110', '01110', '00001'), 5)).toEqual({ rows: 3, columns: 3 });
    expect(sampledCentre(rows('000', '111', '111', '101'), 4)).toEqual({ rows: 2, columns: 3 });
    expect(sampledCentre(rows('111', '101', '111'), 3)).toEqual({ rows: 0, columns: 0 });
  });
});
