/** What a file of ours is marked with: 'HkMQ' in its header. */
export const applicationId = 0x486b4d51

/**
 * One entry for each version of the schema: what makes it from the one before. An entry that was released is never changed; what
 * comes next is a new one at the end.
 */
export const migrations: readonly string[] = [table('plugin_values')]

/** Tables that operations may name. */
export const tables: ReadonlySet<string> = new Set(['plugin_values'])

/** A sorted map. `value` takes text and bytes as they are. */
function table(name: string): string {
  return `CREATE TABLE ${name} (
    space TEXT NOT NULL,
    key TEXT NOT NULL,
    value NOT NULL,
    PRIMARY KEY (space, key)
  ) WITHOUT ROWID`
}
