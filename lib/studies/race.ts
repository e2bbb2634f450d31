// How long one adaptation takes to the best image that another ever makes.
import { mean } from './spread.js';
import { rowNamed, type TableRow } from './table.js';

/** One adapted model against another, both watched on the way: see `oracle` in a recipe. */
export interface Race {
  readonly of: string;
  readonly against: string;
  /** Mean SSIM of the other's best stops. */
  readonly ssim: number;
  /** Mean seconds per slice that the other takes to its best stop. */
  readonly theirs: number;
  /** Mean seconds per slice to the first stop of at least that SSIM; undefined where some slice never comes there. */
  readonly ours: number | undefined;
}

const ORACLE = ', oracle';

/** Every pair of rows with scored stops, each against each. */
export function races(rows: readonly TableRow[]): Race[] {
  const watched = rows.filter(({ variant }) => variant === 'oracle').map(({ name }) => name.slice(0, -ORACLE.length));
  return watched.flatMap((of) =>
    watched.filter((against) => against !== of).map((against) => race(rows, of, against) as Race),
  );
}

/** One pair; undefined where a row was not watched. */
export function race(rows: readonly TableRow[], of: string, against: string): Race | undefined {
  const [ours, theirs] = [of, against].map((name) =>
    rowNamed(rows, name + ORACLE)?.results.map(({ result }) => result.stops ?? []),
  );
  if (!ours || !theirs) return undefined;
  const best = theirs.map((stops) => stops.reduce((a, b) => (b.scores.ssim > a.scores.ssim ? b : a)));
  const times = best.map(({ scores }, i) => ours[i].find((stop) => stop.scores.ssim >= scores.ssim)?.seconds);
  const known = times.filter((seconds) => seconds !== undefined);
  return {
    of,
    against,
    ssim: mean(best.map(({ scores }) => scores.ssim)),
    theirs: mean(best.map(({ seconds }) => seconds)),
    ours: known.length === times.length ? mean(known) : undefined,
  };
}
