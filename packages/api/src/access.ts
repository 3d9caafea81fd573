import type { AuthorizeRequest, Credential } from './client.ts'
import type { AuthenticateResult } from './verdict.ts'

/** Asked in order of `sequence` (higher first; equal: the one registered last first) until one decides. */
export interface Authenticator {
  readonly name: string
  /** `{ result: 'ignore' }` = not mine, ask the next. A throw refuses. */
  authenticate(client: Credential): AuthenticateResult | Promise<AuthenticateResult>
}

export interface Authorizer {
  readonly name: string
  /** A throw refuses. */
  authorize(request: AuthorizeRequest): 'allow' | 'deny' | 'ignore' | Promise<'allow' | 'deny' | 'ignore'>
  /** Reads its rules again. When it rejects, the old ones must still be in force. */
  reload?(): void | Promise<void>
}
