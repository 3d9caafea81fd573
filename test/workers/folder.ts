import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is gone when the test is over. */
export function temporaryFolder(scope: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-workers-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}
