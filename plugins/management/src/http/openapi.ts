import type { Endpoint } from './endpoint.ts'
import { errorCodes } from './errors.ts'
import { partsOf } from './route-table.ts'
import { BASE_PATH } from './server.ts'

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>
  readonly required?: readonly string[]
}

/** The OpenAPI 3.1 document of these endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  const tags = new Set<string>()
  for (const endpoint of endpoints) {
    const path = `/${partsOf(endpoint.path)
      .map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part))
      .join('/')}`
    paths[path] ??= {}
    paths[path][endpoint.method.toLowerCase()] = operation(endpoint, path)
    if (endpoint.tag !== undefined) tags.add(endpoint.tag)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'HookMQ management API', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: BASE_PATH }],
    tags: [...tags].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of POST /login' },
        apiKey: { type: 'http', scheme: 'basic', description: 'An API key and its secret' },
      },
      schemas: {
        Error: {
          type: 'object',
          required: ['code', 'message'],
          properties: { code: { type: 'string', examples: Object.keys(errorCodes) }, message: { type: 'string' } },
        },
      },
    },
  }
}

function operation(endpoint: Endpoint, path: string): object {
  const { method, summary, tag, access, bodySchema, responseSchema, produces = 'application/json' } = endpoint
  const responses: Record<string, object> = {}
  for (const [status, description] of Object.entries(endpoint.responses ?? { 200: 'Done' })) {
    const content = status === '200' ? { [produces]: { schema: responseSchema ?? {} } } : undefined
    responses[status] = content === undefined ? { description } : { description, content }
  }
  responses.default = {
    description: 'It did not work; the code says why',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  }
  return {
    operationId: `${method.toLowerCase()}${path.replace(/\{(\w+)\}/g, 'By_$1').replace(/[^A-Za-z0-9]+/g, '_')}`,
    summary,
    ...(tag === undefined ? {} : { tags: [tag] }),
    parameters: [...pathParameters(path), ...queryParameters(endpoint.querySchema as ObjectSchema | undefined)],
    ...(bodySchema === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: bodySchema } } } }),
    responses,
    security: access === 'public' ? [] : access === 'user' ? [{ token: [] }] : [{ token: [] }, { apiKey: [] }],
  }
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(schema: ObjectSchema | undefined): object[] {
  return Object.entries(schema?.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: schema?.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}
