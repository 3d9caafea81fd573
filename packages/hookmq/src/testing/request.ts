import type { HttpRequest, HttpRoute } from '@hookmq/api'

export interface TestRequest {
  readonly method: HttpRoute['method']
  readonly path: string
  readonly body?: unknown
  /** Who asks. Default 'test'. */
  readonly user?: string
}

/** The endpoint that a path leads to, and what its handler is called with. Throws when there is none. */
export function findRoute(
  routes: readonly HttpRoute[],
  request: TestRequest,
): HttpRequest & { readonly route: HttpRoute } {
  const { pathname, searchParams } = new URL(request.path, 'http://test')
  const query: Record<string, string | readonly string[]> = {}
  for (const name of searchParams.keys()) {
    const values = searchParams.getAll(name)
    query[name] = values.length === 1 ? values[0] : values
  }
  for (const route of routes) {
    const params = route.method === request.method ? match(route.path, pathname) : undefined
    if (params !== undefined) return { route, params, query, body: request.body, user: request.user ?? 'test' }
  }
  throw new Error(`there is no endpoint ${request.method} ${pathname}`)
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const found = path.split('/')
  if (wanted.length !== found.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(found[index])
    else if (part !== found[index]) return undefined
  }
  return params
}
