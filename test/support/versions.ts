import { type TestContext, test } from 'node:test'
import type { Version } from './raw-client.ts'

export const currentVersions: readonly Version[] = [4, 5]
export const allVersions: readonly Version[] = [3, 4, 5]

export function versionName(version: Version): string {
  return { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' }[version]
}

/** One test for each version. */
export function testVersions(
  versions: readonly Version[],
  title: string,
  run: (scope: TestContext, version: Version) => Promise<void>,
): void {
  for (const version of versions) test(`${title} (${versionName(version)})`, (scope) => run(scope, version))
}
