import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Endpoint } from './endpoint.ts'
import { ApiError, badRequest } from './errors.ts'

interface Checks {
  readonly body?: ValidateFunction
  readonly query?: ValidateFunction
}

/** Checks what comes in against the schemas of the endpoints; each schema is compiled when it is first needed. */
export class Validation {
  readonly #bodies = new Ajv({ useDefaults: true, strict: false, verbose: true })
  // Everything in a query is text, and one value stands for a list of one.
  readonly #queries = new Ajv({ useDefaults: true, strict: false, verbose: true, coerceTypes: 'array' })
  readonly #compiled = new Map<Endpoint, Checks>()

  /** Throws ApiError 400. Returns what was given, with defaults filled in and (in queries) texts turned into their type. */
  check(
    endpoint: Endpoint,
    body: unknown,
    query: Record<string, unknown>,
  ): { body: unknown; query: Record<string, unknown> } {
    if (endpoint.bodySchema === undefined && endpoint.querySchema === undefined) return { body, query }
    const checks = this.#checks(endpoint)
    if (checks.query !== undefined && !checks.query(query)) throw badRequest(sentence('query', checks.query.errors))
    if (checks.body !== undefined) {
      if (body === undefined) throw badRequest('the body is missing: expected JSON')
      if (!checks.body(body)) throw badRequest(sentence('body', checks.body.errors))
    }
    return { body, query }
  }

  /** Frees what belongs to endpoints that are gone. */
  keepOnly(endpoints: ReadonlySet<Endpoint>): void {
    for (const endpoint of this.#compiled.keys()) {
      if (endpoints.has(endpoint)) continue
      this.#compiled.delete(endpoint)
      if (endpoint.bodySchema !== undefined) this.#bodies.removeSchema(endpoint.bodySchema)
      if (endpoint.querySchema !== undefined) this.#queries.removeSchema(endpoint.querySchema)
    }
  }

  #checks(endpoint: Endpoint): Checks {
    let checks = this.#compiled.get(endpoint)
    if (checks === undefined) {
      try {
        checks = {
          body: endpoint.bodySchema && this.#bodies.compile(endpoint.bodySchema),
          query: endpoint.querySchema && this.#queries.compile(endpoint.querySchema),
        }
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw new ApiError(
          500,
          'INTERNAL_ERROR',
          `the schema of ${endpoint.method} ${endpoint.path} is not usable: ${why}`,
        )
      }
      this.#compiled.set(endpoint, checks)
    }
    return checks
  }
}

/** The first fault as one line: where, what was expected. The value itself is not repeated: it may be a secret. */
function sentence(where: string, errors: ValidateFunction['errors']): string {
  const [error] = errors ?? []
  if (error === undefined) return `${where}: not as expected`
  const place = `${where}${error.instancePath.replaceAll('/', '.')}`
  const { params } = error as ErrorObject<string, Record<string, unknown>>
  switch (error.keyword) {
    case 'required':
      return `${place}: ${String(params.missingProperty)} is missing`
    case 'additionalProperties':
      return `${place}: unknown field ${String(params.additionalProperty)}`
    case 'enum':
      return `${place}: expected one of ${(params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`
    case 'type':
      return `${place}: expected ${String(params.type)}, got ${typeOf(error.data)}`
    default:
      return `${place}: ${error.message ?? 'not as expected'}`
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
