// HTML and SVG text: escaping, and numbers as people read them.

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** `text` for use in HTML or SVG content and in quoted attributes; control characters become spaces. */
export function escapeHtml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, ' ').replace(/[&<>"']/g, (c) => ESCAPES[c]);
}

/** About `digits` significant digits without an exponent where that stays short: 0.0123, 12.3, 4.1e-7. */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? '∞' : '−∞';
  const text = Number(value.toPrecision(digits));
  const size = Math.abs(text);
  if (size !== 0 && (size < 1e-4 || size >= 1e6))
    return text.toExponential(Math.min(2, digits - 1)).replaceAll('-', '−');
  return String(text).replaceAll('-', '−');
}
