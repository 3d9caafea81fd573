import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

// The thread that waits for the disk, so that the broker's does not.
serve((init) => new SqliteEngine(init))
