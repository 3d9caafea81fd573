import type { HttpRequest, HttpResponse, HttpRoute } from '@hookmq/api'

export type Role = 'administrator' | 'viewer' | 'publisher'

/** Who sent a request, once that is proven. */
export interface Caller {
  readonly kind: 'nobody' | 'user' | 'api_key'
  /** User name or the API key's name. */
  readonly name: string
  readonly role: Role
  readonly peerhost: string
  /** Host of the URL that was asked for, without port. */
  readonly host: string
  /** Bearer token, to log out with. */
  readonly token?: string
}

/**
 * Who may call an endpoint. 'public': anybody; 'authenticated': every user and API key whose role allows the method;
 * 'user': no API keys, because a key must not be able to make others.
 */
type EndpointAccess = 'public' | 'authenticated' | 'user'

/** An endpoint of this plugin: a route that also learns who calls. */
export interface Endpoint extends Omit<HttpRoute, 'handle'> {
  /** Default 'authenticated'. */
  readonly access?: EndpointAccess
  /** HTTP statuses that it answers with, and what each means. Default: 200. */
  readonly responses?: Readonly<Record<number, string>>
  /** Content type of its success when that is not JSON. */
  readonly produces?: string
  /** Called by users of any role: it concerns only the caller. */
  readonly anyRole?: boolean
  handle(request: HttpRequest, caller: Caller): HttpResponse | Promise<HttpResponse>
}

export function ok(body: unknown): HttpResponse {
  return { status: 200, body }
}

export const noContent: HttpResponse = Object.freeze({ status: 204 })
