// Puts tables into docs/methods.md.
import { readFile, writeFile } from 'node:fs/promises';

const DOCUMENT = new URL('../../docs/methods.md', import.meta.url);

/** Replaces what stands between the markers `<!-- NAME: begin -->` and `<!-- NAME: end -->`. */
export async function writeTable(name, text) {
  const document = await readFile(DOCUMENT, 'utf8');
  const [start, end] = [`<!-- ${name}: begin -->\n`, `<!-- ${name}: end -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/methods.md lacks the markers of the ${name}`);
  await writeFile(DOCUMENT, `${document.slice(0, from + start.length)}\n${text.trim()}\n\n${document.slice(to)}`);
}
