// What was found as Markdown, for docs/gpu.md.

/** @param result Machine, environment and the outcome of every part, as check.mjs has them. */
export function markdown({ date, command, verdict, machine, parts }) {
  const blocks = [`## ${machine.device}, ${date}`, `\`${command}\`: **${verdict}**`, list(machine.details)];
  const summary = parts.map(({ title, state, reason = '', lines, seconds }) => {
    const made = lines.filter(({ kind }) => kind === 'check').length;
    return [title, state, made, `${seconds.toFixed(0)} s`, reason];
  });
  blocks.push(table(['part', 'result', 'checks', 'time', 'reason'], summary));
  const worst = worstChecks(parts.flatMap(({ lines }) => lines.filter(({ kind }) => kind === 'check')));
  if (worst.length > 0)
    blocks.push('Largest error of each check:', table(['what', 'cases', 'error', 'limit', 'where', ''], worst));
  for (const { title, lines } of parts) {
    const rows = lines.filter(({ kind }) => kind === 'bench');
    if (rows.length > 0)
      blocks.push(`${title}:`, table(['what', 'case', 'median', 'best', 'more'], rows.map(benchRow)));
    const notes = lines.filter(({ kind }) => kind === 'note').map(({ text }) => text);
    if (notes.length > 0) blocks.push(list(notes));
  }
  for (const { title, said, state } of parts)
    if (said && (state === 'wrong' || state === 'failed'))
      blocks.push(`${title} said last:`, `\`\`\`\n${said}\n\`\`\``);
  return `${blocks.join('\n\n')}\n`;
}

function worstChecks(checks) {
  const names = [...new Set(checks.map(({ name }) => name))];
  return names.map((name) => {
    const all = checks.filter((check) => check.name === name);
    const badness = ({ ok, error }) => (ok ? (error ?? 0) : Number.POSITIVE_INFINITY);
    const worst = all.reduce((a, b) => (badness(b) > badness(a) ? b : a));
    const { error, limit, case: where = '', ok, reason, detail, repeats } = worst;
    const remark = ok
      ? (detail ?? '')
      : `**wrong** ${reason ?? detail ?? (repeats === false ? 'and not the same twice' : '')}`;
    const show = (value) => (typeof value === 'number' ? value.toExponential(1) : '');
    return [name, all.length, show(error), show(limit), where, remark];
  });
}

const NOT_SHOWN = new Set(['kind', 'name', 'case', 'ms', 'best', 'rounds', 'clock']);

function benchRow({ name, case: what = '', ms, best, failed, ...rest }) {
  const more = Object.entries(rest)
    .filter(([key]) => !NOT_SHOWN.has(key))
    .map(
      ([key, value]) =>
        `${key.replaceAll('_', ' ')} ${typeof value === 'number' ? Number(value.toPrecision(3)) : value}`,
    );
  const time = (value) => (typeof value === 'number' ? `${Number(value.toPrecision(3))} ms` : '');
  return [name, what, failed ? `failed: ${failed}` : time(ms), time(best), more.join(', ')];
}

function list(items) {
  return items.map((item) => `- ${item}`).join('\n');
}

function table(head, rows) {
  const row = (cells) =>
    `| ${cells.map((cell) => `${cell}`.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}
