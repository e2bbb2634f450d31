// Targets as configurations write them, spelt out one by one.
import { LarmorError } from '../errors.js';
import type { Target, TargetRule } from './target-schema.js';

/** A row that a pattern fits, and what its stars stand for. */
interface Fit {
  readonly name: string;
  readonly stars: readonly string[];
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/**
 * One target for every row, compared row and metric that the rules name, in this order; the same target twice counts once.
 *
 * @param rows Names of the rows that there are.
 * @throws LarmorError `ERR_CONFIG` for a pattern that fits no row, or a compared row with more stars than the row has.
 */
export function spellOut(rules: readonly TargetRule[], rows: readonly string[], where: string): Target[] {
  const targets = rules.flatMap((rule): Target[] => {
    const { atLeast, atMost } = rule;
    const bounds = { ...(atLeast !== undefined && { atLeast }), ...(atMost !== undefined && { atMost }) };
    if ('race' in rule)
      return pairs(rule.race, rule.against, rows, where).map(([race, against]) => ({ race, against, ...bounds }));
    if ('shareOfGap' in rule) {
      const { shareOfGap, consistent } = rule;
      return listOf(rule.shift ?? [undefined]).flatMap((shift) =>
        listOf(rule.metric).map((metric) => ({ shareOfGap, shift, consistent, metric, ...bounds })),
      );
    }
    const { statistic } = rule;
    const compared: (readonly [string, string?])[] =
      rule.over === undefined
        ? fitting(rule.of, rows, where).map(({ name }) => [name])
        : pairs(rule.of, rule.over, rows, where);
    return compared.flatMap(([of, over]) =>
      listOf(rule.metric).map((metric) => ({ of, over, metric, statistic, ...bounds })),
    );
  });
  const distinct = new Map(targets.map((target) => [JSON.stringify(target), target]));
  return [...distinct.values()];
}

function pairs(
  names: string | readonly string[],
  others: string | readonly string[],
  rows: readonly string[],
  where: string,
): (readonly [string, string])[] {
  return fitting(names, rows, where).flatMap((fit) =>
    listOf(others).map((other) => [fit.name, filled(other, fit, where)] as const),
  );
}

/** Names without a star stand for themselves, whether there is such a row or not. */
function fitting(names: string | readonly string[], rows: readonly string[], where: string): Fit[] {
  return listOf(names).flatMap((name): Fit[] => {
    if (!name.includes('*')) return [{ name, stars: [] }];
    const parts = name.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('(.*)')}$`);
    const fits = rows.flatMap((row) => {
      const match = pattern.exec(row);
      return match ? [{ name: row, stars: match.slice(1) }] : [];
    });
    if (fits.length === 0)
      throw new LarmorError('ERR_CONFIG', `${where}: no row fits "${name}"; there are ${rows.join('; ')}`);
    return fits;
  });
}

function filled(name: string, { name: row, stars }: Fit, where: string): string {
  const parts = name.split('*');
  if (parts.length - 1 > stars.length)
    throw new LarmorError('ERR_CONFIG', `${where}: "${name}" has more * than the pattern of "${row}" to fill them`);
  return parts.reduce((text, part, i) => `${text}${stars[i - 1]}${part}`);
}
