import cors from '@fastify/cors'
import type { Logger } from '@hookmq/api'
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Gate } from '../access/gate.ts'
import type { Caller, Endpoint } from './endpoint.ts'
import { ApiError, badRequest, type ErrorCode } from './errors.ts'
import { partsOf, type RouteTable } from './route-table.ts'
import type { Validation } from './validation.ts'

export const BASE_PATH = '/api/v5'

/** What a server needs; the table may be another one at the next request. */
export interface ServerParts {
  readonly log: Logger
  readonly gate: Gate
  readonly validation: Validation
  table(): RouteTable
  /** The OpenAPI document. */
  document(): object
  /** Brings up to date what the endpoints tell of all workers. */
  refresh(): Promise<void>
  /** Text of GET /status. */
  status(): string
}

export interface ServerOptions {
  /** Bytes of a request body. */
  readonly bodyLimit: number
  /** Connections at once. */
  readonly maxClients: number
  /** Milliseconds for a request to arrive whole. */
  readonly requestTimeout: number
  /** Origins that browsers may call from. Empty: only pages of this server. */
  readonly origins: readonly string[]
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer; readonly requestCert: boolean }
}

interface Admitted {
  readonly endpoint: Endpoint
  readonly caller: Caller
  readonly params: Readonly<Record<string, string>>
}

/** An HTTP server that answers by the route table of the moment. Not listening yet. */
export async function createServer(parts: ServerParts, options: ServerOptions): Promise<FastifyInstance> {
  const { tls } = options
  const server = fastify({
    logger: false,
    bodyLimit: options.bodyLimit,
    requestTimeout: options.requestTimeout,
    // Idle connections must not hold up a shutdown.
    forceCloseConnections: true,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    frameworkErrors: (error, _request, reply) => void sendError(parts.log, reply as FastifyReply, error),
    https: tls === undefined ? null : { ...tls, rejectUnauthorized: tls.requestCert },
  }) as unknown as FastifyInstance
  server.server.maxConnections = options.maxClients
  // Text bodies are what a page of another site could send without being asked.
  server.removeContentTypeParser('text/plain')
  const parseJson = server.getDefaultJsonParser('error', 'error')
  server.removeContentTypeParser('application/json')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parseJson(request, body as string, done)
  })
  if (options.origins.length > 0) {
    await server.register(cors, { origin: [...options.origins], methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] })
  }
  server.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  server.setErrorHandler((error, _request, reply) => sendError(parts.log, reply, error))
  server.setNotFoundHandler((request, reply) =>
    sendError(parts.log, reply, new ApiError(404, 'NOT_FOUND', `there is no path ${request.url.split('?', 1)[0]}`)),
  )
  server.get('/status', (_request, reply) => reply.type('text/plain').send(parts.status()))
  server.get('/api-docs/swagger.json', (_request, reply) => reply.send(parts.document()))
  serveTable(server, parts)
  return server
}

function serveTable(server: FastifyInstance, { log, gate, validation, table, refresh }: ServerParts): void {
  const admitted = new WeakMap<FastifyRequest, Admitted>()
  server.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: `${BASE_PATH}/*`,
    exposeHeadRoute: false,
    // Before the body is read: nobody who may not call makes the server parse anything.
    onRequest: async (request, reply) => {
      const path = request.url.split('?', 1)[0] ?? ''
      const match = table().match(request.method === 'HEAD' ? 'GET' : request.method, decodedParts(path))
      if (match === undefined) throw new ApiError(404, 'NOT_FOUND', `there is no path ${path}`)
      if (!('endpoint' in match)) {
        reply.header('allow', match.methods.join(', '))
        throw new ApiError(
          405,
          'METHOD_NOT_ALLOWED',
          `${path} takes ${match.methods.join(', ')}, not ${request.method}`,
        )
      }
      const { authorization } = request.headers
      const caller = gate.admit(match.endpoint, { authorization, peerhost: request.ip, host: request.hostname })
      admitted.set(request, { ...match, caller })
    },
    handler: async (request, reply) => {
      const found = admitted.get(request)
      if (found === undefined) throw new Error('a request came past the gate')
      const { endpoint, params, caller } = found
      const { body, query } = validation.check(endpoint, request.body, {
        ...(request.query as Record<string, unknown>),
      })
      await refresh()
      let answer: Awaited<ReturnType<Endpoint['handle']>>
      try {
        // A querySchema may turn texts into numbers; the endpoints that have one know.
        const typed = query as Readonly<Record<string, string | readonly string[]>>
        answer = await endpoint.handle({ params, query: typed, body, user: caller.name }, caller)
      } catch (error) {
        if (error instanceof ApiError) throw error
        log.error('an endpoint failed', {
          endpoint: `${endpoint.method} ${endpoint.path}`,
          error: error instanceof Error ? error.stack : String(error),
        })
        throw new ApiError(500, 'INTERNAL_ERROR', 'the broker made a mistake; its log has the details')
      }
      reply.code(answer.status)
      if (answer.body === undefined) return reply.send()
      if (answer.contentType !== undefined) return reply.type(answer.contentType).send(answer.body)
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.body))
    },
  })
}

function decodedParts(path: string): string[] {
  try {
    return partsOf(path.slice(BASE_PATH.length)).map(decodeURIComponent)
  } catch {
    throw badRequest('the path has a percent sign that is not followed by two hex digits of UTF-8')
  }
}

function sendError(log: Logger, reply: FastifyReply, error: unknown): FastifyReply {
  const { status, code, message } = describe(log, error)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify({ code, message }))
}

function describe(log: Logger, error: unknown): { status: number; code: ErrorCode; message: string } {
  if (error instanceof ApiError) return error
  const { code, statusCode = 500, message, stack } = error as Partial<FastifyError>
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { status: 413, code: 'PAYLOAD_TOO_LARGE', message: 'the body is bigger than the server takes' }
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message: 'expected a body of content type application/json' }
  }
  if (error instanceof SyntaxError || code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return { status: 400, code: 'BAD_REQUEST', message: `the body is not JSON: ${message ?? ''}` }
  }
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: 'BAD_REQUEST', message: message ?? 'the request is not as it should be' }
  }
  log.error('the HTTP server failed', { error: stack ?? String(error) })
  return { status: 500, code: 'INTERNAL_ERROR', message: 'the broker made a mistake; its log has the details' }
}
