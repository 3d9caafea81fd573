import type { ApiKeys, KeyChanges } from '../access/api-keys.ts'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'

const tag = 'API keys'
const changes = {
  expired_at: { type: 'string', description: "RFC 3339, or 'infinity'" },
  enable: { type: 'boolean' },
  desc: { type: 'string', maxLength: 256 },
  role: { enum: ['administrator', 'viewer', 'publisher'], description: 'viewer: GET only; publisher: publish only' },
} as const
const keySchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    api_key: { type: 'string' },
    created_at: { type: 'string' },
    expired: { type: 'boolean' },
    ...changes,
  },
} as const

/** Keys for programs. No key may make another: users only. */
export function apiKeyEndpoints(keys: ApiKeys): Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/api_key',
      tag,
      access: 'user',
      summary: 'All API keys',
      responseSchema: { type: 'array', items: keySchema },
      handle: () => ok(keys.list()),
    },
    {
      method: 'POST',
      path: '/api_key',
      tag,
      access: 'user',
      summary: 'Make an API key; only this answer has its secret',
      bodySchema: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 256 }, ...changes },
      },
      responseSchema: { type: 'object', properties: { ...keySchema.properties, api_secret: { type: 'string' } } },
      async handle({ body }) {
        const { name, ...rest } = body as KeyChanges & { name: string }
        return ok(await keys.add(name, rest))
      },
    },
    {
      method: 'GET',
      path: '/api_key/:name',
      tag,
      access: 'user',
      summary: 'One API key',
      responseSchema: keySchema,
      handle: ({ params }) => ok(keys.get(params.name ?? '')),
    },
    {
      method: 'PUT',
      path: '/api_key/:name',
      tag,
      access: 'user',
      summary: 'Change an API key',
      bodySchema: { type: 'object', properties: changes },
      responseSchema: keySchema,
      handle: async ({ params, body }) => ok(await keys.update(params.name ?? '', body as KeyChanges)),
    },
    {
      method: 'DELETE',
      path: '/api_key/:name',
      tag,
      access: 'user',
      summary: 'Delete an API key',
      responses: { 204: 'Deleted' },
      async handle({ params }) {
        await keys.remove(params.name ?? '')
        return noContent
      },
    },
  ]
}
