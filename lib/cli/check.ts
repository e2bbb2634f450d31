// One line of `larmor doctor`.
/** One thing looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** False for something larmor can do without. */
  readonly needed: boolean;
  /** What was found, or why it does not work. */
  readonly detail: string;
  /** What to type to mend it. */
  readonly remedy?: string | undefined;
}

/** The first line of what was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0] : String(error);
}
