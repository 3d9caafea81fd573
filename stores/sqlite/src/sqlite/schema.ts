/** What a file of ours is marked with: 'HkMQ' in its header. */
export const applicationId = 0x486b4d51

/**
 * One entry for each version of the schema: what makes it from the one before. An entry that was released is never changed; what
 * comes next is a new one at the end.
 */
export const migrations: readonly string[] = [
  table('plugin_values'),
  // Sessions; who they are is read at every start, and apart from the rest of them. `deliveries.place`: 0 it waits, the packet identifier once it has one, 65536 more once PUBREC has come. A body that several
  // sessions wait for is stored once, in `bodies`, and goes with the last of them.
  `CREATE TABLE writers (run INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
   CREATE TABLE sessions (number INTEGER PRIMARY KEY, client TEXT NOT NULL, due INTEGER);
   CREATE TABLE records (session INTEGER PRIMARY KEY, record BLOB NOT NULL);
   CREATE INDEX sessions_due ON sessions (due) WHERE due IS NOT NULL;
   CREATE TABLE subscriptions (
     session INTEGER NOT NULL, filter TEXT NOT NULL, bits INTEGER NOT NULL, identifier INTEGER NOT NULL,
     PRIMARY KEY (session, filter)
   ) WITHOUT ROWID;
   CREATE TABLE bodies (id INTEGER PRIMARY KEY, receivers INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE TABLE deliveries (
     session INTEGER NOT NULL, sequence INTEGER NOT NULL, place INTEGER NOT NULL, flags INTEGER NOT NULL,
     shared INTEGER, size INTEGER NOT NULL, extra TEXT, body BLOB,
     PRIMARY KEY (session, sequence)
   ) WITHOUT ROWID;
   CREATE TRIGGER deliveries_deleted AFTER DELETE ON deliveries WHEN old.shared IS NOT NULL BEGIN
     UPDATE bodies SET receivers = receivers - 1 WHERE id = old.shared;
     DELETE FROM bodies WHERE id = old.shared AND receivers <= 0;
   END;
   CREATE TABLE awaiting (
     session INTEGER NOT NULL, packet INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (session, packet)
   ) WITHOUT ROWID;
   CREATE TABLE retained (topic TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;`,
  // `journal`: batches as they came, `id` tells their order. `queues`: of each session with messages that wait, how many and how many bytes.
  `CREATE TABLE journal (id INTEGER PRIMARY KEY, changes BLOB NOT NULL);
   CREATE TABLE queues (session INTEGER PRIMARY KEY, waiting INTEGER NOT NULL, bytes INTEGER NOT NULL);
   INSERT INTO queues SELECT session, count(*), sum(size) FROM deliveries WHERE place = 0 GROUP BY session;
   CREATE INDEX deliveries_inflight ON deliveries (session, sequence) WHERE place > 0;`,
  'CREATE TABLE marks (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID',
]

/** Tables that operations may name. */
export const tables: ReadonlySet<string> = new Set(['plugin_values'])

/** What is worth keeping, in an order in which it can be written. */
export const exportedTables: readonly string[] = [
  'plugin_values',
  'sessions',
  'records',
  'subscriptions',
  'bodies',
  'deliveries',
  'queues',
  'awaiting',
  'retained',
  'writers',
]

/** A sorted map. `value` takes text and bytes as they are. */
function table(name: string): string {
  return `CREATE TABLE ${name} (
    space TEXT NOT NULL,
    key TEXT NOT NULL,
    value NOT NULL,
    PRIMARY KEY (space, key)
  ) WITHOUT ROWID`
}
