// docs/errors.md is written from the table of codes: `npx vitest run test/errors-table.test.ts -u` after changing one.
import { expect, test } from 'vitest';
import { exitStatus, nextStep } from '#larmor/cli/failures.js';
import { ERROR_CODES, type LarmorErrorCode } from '#larmor/errors.js';

test('docs/errors.md lists every code', async () => {
  const rows = (Object.keys(ERROR_CODES) as LarmorErrorCode[]).map(
    (code) => `| \`${code}\` | ${ERROR_CODES[code]} | ${exitStatus(code)} | ${nextStep(code) ?? ''} |`,
  );
  const page = `# Errors

Every error larmor throws on purpose is a \`LarmorError\`. Branch on its \`code\`, never on its \`message\`. A call stopped through its \`AbortSignal\`
rejects with \`signal.reason\` instead. The \`larmor\` command prints code, message and next step to stderr, and with \`--json\` the document
\`{ "error": { "code", "message" } }\`; it exits 0 when done, 1 when it failed, 2 when it was used wrongly, and 130 after Ctrl-C (JSON code \`ABORT_ERR\`).

| code | meaning | exit | next step |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../docs/errors.md');
});
