import type { TwoWorkers } from './support.ts'

interface Answer {
  readonly status: number
  /** Parsed; undefined when there is none. */
  readonly body: unknown
}

type Call = (method: string, path: string, body?: unknown) => Promise<Answer>

/** The HTTP API of the broker, logged in. */
export async function httpOf(broker: TwoWorkers): Promise<Call> {
  const [, url] = await broker.command.shows(/"listener":"dashboard\.listener\.http","address":"([^"]+)"/)
  return httpAt(url)
}

export async function httpAt(url: string): Promise<Call> {
  const call = async (method: string, path: string, body: unknown, more: Record<string, string>): Promise<Answer> => {
    const response = await fetch(`${url}/api/v5${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const { body } = await call('POST', '/login', { username: 'admin', password: 'public' }, {})
  const authorization = `Bearer ${(body as { token: string }).token}`
  return (method, path, given) => call(method, path, given, { authorization })
}
